import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js'
import { base64 } from '@scure/base'
import { RawPSBTV0 } from '@scure/btc-signer/psbt.js'
import { RawTx } from '@scure/btc-signer/script.js'
import { Transaction } from '@scure/btc-signer/transaction.js'
import test from 'ava'
import fc from 'fast-check'
import { MAX_TRANSACTION_BYTES, TransactionRefused } from '../../../domain/ports/transaction-codec.ts'
import { runs } from '../../../test/runs.ts'
import { family } from './family.ts'
import { NETWORKS } from './networks.ts'
import { memoScript, scriptOf } from './output-script.ts'
import { type Coin, type Spending, writePsbt } from './psbt.ts'
import { maySpend, parse, segwitMessage, taprootMessage, txidOf } from './testing/consensus.ts'
import { coinsOf, type Spender, spenderOf, transactionPaying } from './testing/spender.ts'
import { MAX_INPUTS } from './transactions.ts'
import bip174 from './vectors/bip174.json' with { type: 'json' }
import bip341 from './vectors/bip341-key-path-spending.json' with { type: 'json' }

const GENESIS = '000000000019d6689c085ae165831e93'
const bitcoin = family.chain(GENESIS)!
const network = NETWORKS[GENESIS]!
const codec = await bitcoin.transactions()

const RECIPIENTS = [
  '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa',
  '3P14159f73E4gFr7JterCCQh9QjiTjiZrG',
  'bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu',
  'bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3',
  'bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr',
] as const
const [, , TO] = RECIPIENTS
const paid = (address: string, amount: bigint) => ({ script: scriptOf(network.parameters, address), amount })

const SPENDERS = { P2TR: spenderOf(network, 'frost-secp256k1-tr'), P2WPKH: spenderOf(network, 'dkls23-secp256k1') }
const KINDS = ['P2TR', 'P2WPKH'] as const

const memos = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((memo) => memoScript(memo) !== undefined)

for (const kind of KINDS) {
  const spender = SPENDERS[kind]
  const { sender } = spender

  test(`${kind}: what a transaction does is read from it, and with all signatures it may do so by the rules of consensus`, (t) => {
    fc.assert(
      fc.property(
        fc.array(fc.bigInt(1_000n, 10n ** 14n), { minLength: 1, maxLength: 4 }),
        fc.constantFrom(...RECIPIENTS),
        fc.option(memos),
        fc.boolean(),
        (amounts, to, memo, hasChange) => {
          const inputs = coinsOf(spender, amounts)
          const sum = amounts.reduce((left, right) => left + right)
          const [amount, fee] = [sum / 2n, 500n]
          const outputs = [
            ...(hasChange ? [paid(sender.address, sum - amount - fee)] : []),
            ...(memo === null ? [] : [{ script: memoScript(memo)!, amount: 0n }]),
            paid(to, amount),
          ]
          const unsigned = writePsbt({ inputs, outputs })
          t.deepEqual(codec.read(unsigned, sender), {
            kind: 'transfer',
            asset: bitcoin.nativeAsset,
            to,
            amount,
            fee: hasChange ? fee : sum - amount,
            memo,
            conflicts: inputs.map(({ txid, index }) => `input:${txid}:${index}`),
            lifetimeSeconds: null,
          })
          const { raw, hash } = codec.attach(unsigned, sender, codec.messages(unsigned, sender).map(spender.sign))
          const transaction = parse(raw)
          t.is(txidOf(transaction), hash)
          t.true(inputs.every((_, index) => maySpend(transaction, inputs, index)))
        },
      ),
      { numRuns: runs(15) },
    )
  })

  test(`${kind}: all of it back to the sender is a cancellation`, (t) => {
    const unsigned = writePsbt({ inputs: coinsOf(spender, [5_000n]), outputs: [paid(sender.address, 4_000n)] })
    t.like(codec.read(unsigned, sender), { kind: 'cancellation', to: sender.address, amount: 0n, fee: 1_000n, memo: null })
  })

  test(`${kind}: a signature that is of another input, altered, in place of another, or missing is refused`, (t) => {
    const unsigned = writePsbt({ inputs: coinsOf(spender, [5_000n, 6_000n]), outputs: [paid(TO, 10_000n)] })
    const [first, second] = codec.messages(unsigned, sender).map(spender.sign) as [Made, Made]
    const altered = { ...first, signature: first.signature.with(40, first.signature[40]! ^ 1) }
    t.truthy(codec.attach(unsigned, sender, [first, second]))
    for (const signatures of [
      [second, first],
      [first, first],
      [altered, second],
      [first],
      [first, second, second],
      [],
      [first, { signature: new Uint8Array(64), recoveryId: null }],
      [first, { signature: second.signature.subarray(1), recoveryId: null }],
    ])
      t.throws(() => codec.attach(unsigned, sender, signatures), { instanceOf: TransactionRefused })
  })

  test(`${kind}: the PSBT with its signatures is one that another wallet takes the same transaction from`, (t) => {
    const unsigned = writePsbt({ inputs: coinsOf(spender, [5_000n, 6_000n]), outputs: [paid(TO, 10_000n)] })
    const signatures = codec.messages(unsigned, sender).map(spender.sign)
    const taken = Transaction.fromPSBT(codec.toPsbt!(unsigned, sender, signatures))
    t.deepEqual(taken.extract(), new Uint8Array(codec.attach(unsigned, sender, signatures).raw))
  })

  test(`${kind}: PSBTs with a signature each are put together by another wallet, and one without any is what is signed`, (t) => {
    const unsigned = writePsbt({ inputs: coinsOf(spender, [5_000n, 6_000n]), outputs: [paid(TO, 10_000n)] })
    const [first, second] = codec.messages(unsigned, sender).map(spender.sign) as [Made, Made]
    const [one, other] = [codec.toPsbt!(unsigned, sender, [first, null]), codec.toPsbt!(unsigned, sender, [null, second])]
    const combined = Transaction.fromPSBT(one).combine(Transaction.fromPSBT(other))
    combined.finalize()
    t.deepEqual(combined.extract(), new Uint8Array(codec.attach(unsigned, sender, [first, second]).raw))
    t.deepEqual(codec.toPsbt!(unsigned, sender, [null, null]), unsigned)
    t.throws(() => codec.toPsbt!(unsigned, sender, [null, first]), { instanceOf: TransactionRefused })
    t.throws(() => codec.toPsbt!(unsigned, sender, [null]), { instanceOf: TransactionRefused })
    t.throws(() => codec.fromPsbt!(one), { instanceOf: TransactionRefused })
  })

  test(`${kind}: the PSBT of another wallet becomes one of ours, unless it is signed or would be another transaction`, (t) => {
    const inputs = coinsOf(spender, [5_000n])
    const spending: Spending = { inputs, outputs: [paid(TO, 4_000n)] }
    const foreign = (options: object, input: object) => {
      const transaction = new Transaction({ version: 2, unknown: 'ignore', ...options })
      const [{ txid, index, amount, script, previous }] = inputs as [Coin]
      const witnessUtxo = { amount, script }
      const bip32Derivation = [[secp256k1.Point.BASE.toBytes(), { fingerprint: 1, path: [0, 1] }]]
      const unknown = [[{ type: 0xf0, key: new Uint8Array() }, Uint8Array.of(7)]]
      transaction.addOutput(spending.outputs[0]!)
      transaction.addInput({
        ...{ txid, index, witnessUtxo, sequence: 0xfffffffd, bip32Derivation, unknown },
        ...(previous && { nonWitnessUtxo: previous }),
        ...input,
      } as Parameters<Transaction['addInput']>[0])
      return transaction.toPSBT()
    }
    t.throws(() => codec.read(foreign({}, {}), sender), { instanceOf: TransactionRefused, message: /not understood/ })
    t.deepEqual(codec.fromPsbt!(foreign({}, {})), writePsbt(spending))
    t.deepEqual(codec.fromPsbt!(foreign({}, { sighashType: kind === 'P2TR' ? 0 : 1 })), writePsbt(spending))
    t.deepEqual(codec.fromPsbt!(writePsbt(spending)), writePsbt(spending))
    const signature = spender.sign(new Uint8Array(32)).signature
    for (const psbt of [
      foreign({ lockTime: 800_000 }, {}),
      foreign({ version: 1 }, {}),
      foreign({}, { sequence: 0xffffffff }),
      foreign({}, { sighashType: 0x81 }),
      foreign({}, { sighashType: 2 }),
      foreign({}, { tapKeySig: signature }),
      foreign({}, { witnessUtxo: undefined, nonWitnessUtxo: undefined }),
    ])
      t.throws(() => codec.fromPsbt!(psbt), { instanceOf: TransactionRefused })
  })

  /** Everything that is not wholly what it should be. */
  const good = coinsOf(spender, [50_000n, 60_000n])
  const [coin] = good as [Coin]
  const other = spenderOf(network, sender.scheme)
  const [stranger] = coinsOf(other, [50_000n]) as [Coin]
  const REFUSED: { readonly [what: string]: Spending } = {
    'no inputs': { inputs: [], outputs: [paid(TO, 1n)] },
    'no outputs': { inputs: good, outputs: [] },
    'the same output spent twice': { inputs: [coin, coin], outputs: [paid(TO, 90_000n)] },
    "another one's output spent": { inputs: [coin, stranger], outputs: [paid(TO, 90_000n)] },
    'more paid than spent': { inputs: good, outputs: [paid(TO, 110_001n)] },
    'two recipients': { inputs: good, outputs: [paid(TO, 1_000n), paid(RECIPIENTS[0], 1_000n)] },
    'the same recipient twice': { inputs: good, outputs: [paid(TO, 1_000n), paid(TO, 1_000n)] },
    'change twice': { inputs: good, outputs: [paid(TO, 1_000n), paid(sender.address, 1n), paid(sender.address, 1n)] },
    'two memos': {
      inputs: good,
      outputs: [paid(TO, 1_000n), { script: memoScript('a')!, amount: 0n }, { script: memoScript('b')!, amount: 0n }],
    },
    'a memo that takes money': { inputs: good, outputs: [paid(TO, 1_000n), { script: memoScript('a')!, amount: 1n }] },
    'only a memo': { inputs: good, outputs: [{ script: memoScript('a')!, amount: 0n }] },
    'a memo for the sender alone': { inputs: good, outputs: [paid(sender.address, 1_000n), { script: memoScript('a')!, amount: 0n }] },
    'more money than there is': { inputs: coinsOf(spender, [21n * 10n ** 14n, 1n]), outputs: [paid(TO, 1_000n)] },
    'an output that anybody could spend': { inputs: good, outputs: [{ script: hexToBytes('51024e73'), amount: 1_000n }] },
    'an output to a bare key': {
      inputs: good,
      outputs: [{ script: concatBytes(hexToBytes('21'), secp256k1.Point.BASE.toBytes(), hexToBytes('ac')), amount: 1_000n }],
    },
    'an output to a point that is none': { inputs: good, outputs: [{ script: hexToBytes(`5120${'ff'.repeat(32)}`), amount: 1_000n }] },
    'an output without a script': { inputs: good, outputs: [{ script: new Uint8Array(), amount: 1_000n }] },
    'a memo of another spelling': { inputs: good, outputs: [paid(TO, 1_000n), { script: hexToBytes('6a4c0161'), amount: 0n }] },
    'a memo that is no text': { inputs: good, outputs: [paid(TO, 1_000n), { script: hexToBytes('6a01ff'), amount: 0n }] },
    'too many inputs': { inputs: coinsOf(spender, Array(MAX_INPUTS + 1).fill(1_000n)), outputs: [paid(TO, 1_000n)] },
    'the transaction before, where it must not be, or none where it must': {
      inputs: [{ ...coin, previous: kind === 'P2TR' ? transactionPaying([coin], 1) : null }],
      outputs: [paid(TO, 1_000n)],
    },
  }
  for (const [what, spending] of Object.entries(REFUSED)) {
    test(`${kind}: refused: ${what}`, (t) => {
      const unsigned = writePsbt(spending)
      const signatures = spending.inputs.map(() => spender.sign(new Uint8Array(32)))
      t.throws(() => codec.read(unsigned, sender), { instanceOf: TransactionRefused })
      t.throws(() => codec.messages(unsigned, sender), { instanceOf: TransactionRefused })
      t.throws(() => codec.attach(unsigned, sender, signatures), { instanceOf: TransactionRefused })
    })
  }

  test(`${kind}: a version, lock time, sequence, script or kind of signature hash that is not ours is refused`, (t) => {
    const unsigned = writePsbt({ inputs: [coin], outputs: [paid(TO, 1_000n)] })
    const psbt = RawPSBTV0.decode(unsigned)
    const { unsignedTx } = psbt.global
    const [input] = psbt.inputs
    type Psbt = Parameters<typeof RawPSBTV0.encode>[0]
    const transaction = (fields: object) => ({ ...psbt, global: { unsignedTx: { ...unsignedTx, ...fields } } })
    const withInput = (fields: object) => ({ ...psbt, inputs: [{ ...input, ...fields }] })
    const before = unsignedTx!.inputs[0]
    for (const altered of [
      transaction({ version: 1 }),
      transaction({ version: 3 }),
      transaction({ lockTime: 1 }),
      transaction({ inputs: [{ ...before, sequence: 0xffffffff }] }),
      transaction({ inputs: [{ ...before, sequence: 0 }] }),
      withInput({ sighashType: 0 }),
      withInput({ sighashType: 1 }),
      withInput({ sighashType: 0x82 }),
      withInput({ tapMerkleRoot: new Uint8Array(32) }),
      withInput({ redeemScript: new Uint8Array(22) }),
      withInput({ unknown: [[{ type: 0xf0, key: new Uint8Array() }, new Uint8Array()]] }),
      { ...psbt, outputs: [{ redeemScript: new Uint8Array() }] },
      { ...psbt, global: { ...psbt.global, version: 0 } },
    ])
      t.throws(() => codec.messages(RawPSBTV0.encode(altered as Psbt), sender), { instanceOf: TransactionRefused })
    t.throws(() => codec.messages(concatBytes(unsigned, Uint8Array.of(0)), sender), { instanceOf: TransactionRefused })
  })

  test(`${kind}: any byte altered is refused, or read as another transaction`, (t) => {
    const unsigned = writePsbt({ inputs: [coin], outputs: [paid(TO, 1_000n), paid(sender.address, 48_000n)] })
    const seen = JSON.stringify(codec.messages(unsigned, sender).map(bytesToHex))
    for (let at = 0; at < unsigned.length; at++) {
      const altered = unsigned.with(at, unsigned[at]! ^ (1 << (at % 8)))
      try {
        t.not(JSON.stringify(codec.messages(altered, sender).map(bytesToHex)), seen, `byte ${at}`)
      } catch (error) {
        t.true(error instanceof TransactionRefused, `byte ${at}: ${error}`)
      }
    }
  })

  test(`${kind}: another key, or an address that is not its own, is refused`, (t) => {
    const unsigned = writePsbt({ inputs: [coin], outputs: [paid(TO, 1_000n)] })
    t.throws(() => codec.read(unsigned, other.sender), { instanceOf: TransactionRefused })
    t.throws(() => codec.read(unsigned, { ...sender, address: other.sender.address }), { instanceOf: TransactionRefused })
    const ofOther = writePsbt({ inputs: [stranger], outputs: [paid(TO, 1_000n)] })
    t.throws(() => codec.read(ofOther, { ...sender, address: other.sender.address }), { instanceOf: TransactionRefused })
  })
}

type Made = ReturnType<Spender['sign']>

test('P2WPKH: an amount that is not that of the output spent is refused, whichever input it is told of', (t) => {
  const spender = SPENDERS.P2WPKH
  const [first, second] = coinsOf(spender, [50_000n, 60_000n]) as [Coin, Coin]
  const lie = (coin: Coin) => ({ ...coin, amount: coin.amount - 20_000n })
  const forged = (coin: Coin) => ({ ...lie(coin), previous: transactionPaying([lie(coin)], 9) })
  const outputs = [paid(TO, 80_000n)]
  for (const inputs of [
    [lie(first), second],
    [first, lie(second)],
    [forged(first), second],
    [first, { ...second, previous: first.previous }],
    [first, { ...second, index: 2 }],
    [first, { ...second, index: 0 }],
  ])
    t.throws(() => codec.messages(writePsbt({ inputs, outputs }), spender.sender), { instanceOf: TransactionRefused })
})

test('P2TR: a lie about an amount changes what is signed of every input', (t) => {
  const spender = SPENDERS.P2TR
  const [first, second] = coinsOf(spender, [50_000n, 60_000n]) as [Coin, Coin]
  const outputs = [paid(TO, 80_000n)]
  const honest = codec.messages(writePsbt({ inputs: [first, second], outputs }), spender.sender)
  const lied = codec.messages(writePsbt({ inputs: [first, { ...second, amount: 40_000n }], outputs }), spender.sender)
  for (const index of [0, 1]) t.notDeepEqual(honest[index], lied[index])
})

test('a signature with s in the upper half is refused: nodes would not relay it', (t) => {
  const spender = SPENDERS.P2WPKH
  const unsigned = writePsbt({ inputs: coinsOf(spender, [5_000n]), outputs: [paid(TO, 4_000n)] })
  const [message] = codec.messages(unsigned, spender.sender)
  const { r, s } = secp256k1.Signature.fromBytes(spender.sign(message!).signature, 'compact')
  const high = new secp256k1.Signature(r, secp256k1.Point.Fn.ORDER - s).toBytes('compact')
  t.true(secp256k1.verify(high, message!, spender.sender.publicKey, { prehash: false, lowS: false }))
  t.throws(() => codec.attach(unsigned, spender.sender, [{ signature: high, recoveryId: null }]), { instanceOf: TransactionRefused })
})

test('what is too long is not looked at', (t) => {
  t.throws(() => codec.read(new Uint8Array(MAX_TRANSACTION_BYTES + 1), SPENDERS.P2TR.sender), { message: /too long/ })
})

for (const { case: what, psbt } of [...bip174.invalid, ...bip174.failsSigner, ...bip174.valid]) {
  test(`BIP-174: refused, as it is invalid or not all the sender's: ${what}`, (t) => {
    for (const { sender } of Object.values(SPENDERS))
      t.throws(() => codec.messages(base64.decode(psbt), sender), { instanceOf: TransactionRefused })
    if (bip174.invalid.some((vector) => vector.psbt === psbt))
      t.throws(() => codec.fromPsbt!(base64.decode(psbt)), { instanceOf: TransactionRefused })
  })
}

test('BIP-341: the verifier of these tests hashes and verifies as the vectors do, and so does the library', (t) => {
  const [{ given, inputSpending, auxiliary }] = bip341 as [(typeof bip341)[number]]
  const spent = given.utxosSpent.map(({ scriptPubKey, amountSats }) => ({ script: hexToBytes(scriptPubKey), amount: BigInt(amountSats) }))
  const unsigned = parse(hexToBytes(given.rawUnsignedTx))
  const signed = hexToBytes(auxiliary.fullySignedTx)
  const library = Transaction.fromRaw(signed, { allowUnknownInputs: true, allowUnknownOutputs: true, disableScriptCheck: true })
  for (const {
    given: { txinIndex, hashType },
    intermediary,
  } of inputSpending) {
    t.is(taprootMessage(unsigned, spent, txinIndex, hashType).toString('hex'), intermediary.sigHash)
    const [scripts, amounts] = [spent.map(({ script }) => script), spent.map(({ amount }) => amount)]
    t.is(bytesToHex(library.preimageWitnessV1(txinIndex, scripts, hashType, amounts)), intermediary.sigHash)
    t.true(maySpend(parse(signed), spent, txinIndex))
  }
  t.true(maySpend(parse(signed), spent, 5))
  t.false(maySpend(parse(signed), spent.with(5, { ...spent[5]!, amount: 1n }), 5))
})

test('BIP-341: signed with the keys of the vectors, after their tweak, outputs of the vectors are spent', (t) => {
  const [{ given, inputSpending }] = bip341 as [(typeof bip341)[number]]
  for (const {
    given: { txinIndex },
    intermediary,
  } of inputSpending) {
    const spender = spenderOf(network, 'frost-secp256k1-tr', hexToBytes(intermediary.tweakedPrivkey))
    const { scriptPubKey, amountSats } = given.utxosSpent[txinIndex]!
    t.is(bytesToHex(spender.script), scriptPubKey)
    t.is(bytesToHex(schnorr.getPublicKey(hexToBytes(intermediary.tweakedPrivkey))), scriptPubKey.slice(4))
    const inputs = [{ ...coinsOf(spender, [1n])[0]!, amount: BigInt(amountSats) }]
    const unsigned = writePsbt({ inputs, outputs: [paid(TO, 1_000n)] })
    const { raw } = codec.attach(unsigned, spender.sender, codec.messages(unsigned, spender.sender).map(spender.sign))
    t.true(maySpend(parse(raw), inputs, 0))
  }
})

test('BIP-143: the verifier of these tests hashes and verifies native P2WPKH as the example does, and so does the library', (t) => {
  const signed = hexToBytes(
    '01000000000102fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f00000000494830450221008b9d1dc26ba6a9cb62127b02742fa9d754cd3bebf337f7a55d114c8e5cdd30be022040529b194ba3f9281a99f2b1c0a19c0489bc22ede944ccf4ecbab4cc618ef3ed01eeffffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff02202cb206000000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac000247304402203609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a954c4518331561406f90300e8f3358f51928d43c212a8caed02de67eebee0121025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee635711000000',
  )
  const digest = 'c37af31116d1b27caf68aae9e3ac82f1477929014d5b917657d0eb49478cb670'
  const coin = { script: hexToBytes('00141d0f172a0ecb48aee1be1f2687d2963ae33f71a1'), amount: 600_000_000n }
  const transaction = parse(signed)
  t.is(segwitMessage(transaction, coin, 1).toString('hex'), digest)
  t.true(maySpend(transaction, [coin, coin], 1))
  t.false(maySpend(transaction, [coin, { ...coin, amount: 600_000_001n }], 1))
  const scriptCode = hexToBytes('76a9141d0f172a0ecb48aee1be1f2687d2963ae33f71a188ac')
  t.is(bytesToHex(Transaction.fromRaw(signed, { allowUnknownInputs: true }).preimageWitnessV0(1, scriptCode, 1, coin.amount)), digest)
  t.is(RawTx.decode(signed).witnesses?.length, 2)
})
