import { secp256k1 } from '@noble/curves/secp256k1.js'
import { numberToBytesBE, numberToVarBytesBE } from '@noble/curves/utils.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js'
import test from 'ava'
import fc from 'fast-check'
import { encodeFunctionData, erc20Abi, type Hex, serializeTransaction } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { type MadeSignature, type Sender, TransactionRefused } from '../../../domain/ports/transaction-codec.ts'
import { addressOf } from './address.ts'
import { transferCall } from './erc20.ts'
import { family } from './family.ts'

const MAINNET = family.chain('1')!
const codec = await MAINNET.transactions()

/** That of the example in EIP-155. */
const SECRET = new Uint8Array(32).fill(0x46)
const sender = senderOf(SECRET)
const TO = '0x3535353535353535353535353535353535353535'
const TOKEN = '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48'

function senderOf(secret: Uint8Array): Sender {
  const publicKey = secp256k1.getPublicKey(secret)
  return { scheme: 'dkls23-secp256k1', publicKey, address: addressOf(publicKey) }
}

function sign(digest: Uint8Array, secret = SECRET): MadeSignature {
  const recovered = secp256k1.sign(digest, secret, { prehash: false, format: 'recovered' })
  return { signature: recovered.subarray(1), recoveryId: recovered[0]! }
}

type Item = Uint8Array | readonly Item[]

/** RLP (Yellow Paper, appendix B), another time than in the library. */
function rlp(item: Item): Uint8Array {
  if (item instanceof Uint8Array) return item.length === 1 && item[0]! < 0x80 ? item : concatBytes(head(0x80, item.length), item)
  const content = concatBytes(...item.map(rlp))
  return concatBytes(head(0xc0, content.length), content)
}

function head(offset: number, length: number): Uint8Array {
  if (length <= 55) return Uint8Array.of(offset + length)
  const size = numberToVarBytesBE(length)
  return concatBytes(Uint8Array.of(offset + 55 + size.length), size)
}

const number = (value: bigint | number) => (BigInt(value) === 0n ? new Uint8Array() : numberToVarBytesBE(value))
const address = (text: string) => hexToBytes(text.slice(2))

type Changes = { [field: string]: Item }

const DYNAMIC = {
  chainId: number(1),
  nonce: number(7),
  tip: number(1_500_000_000),
  maxFee: number(30_000_000_000n),
  gas: number(21_000),
  to: address(TO),
  value: number(10n ** 18n),
  data: new Uint8Array(),
  accessList: [] as readonly Item[],
}

const dynamic = (changes: Changes = {}) => concatBytes(Uint8Array.of(2), rlp(Object.values({ ...DYNAMIC, ...changes })))
const token = (data: Uint8Array, changes: Changes = {}) => dynamic({ to: address(TOKEN), value: number(0), data, ...changes })

const LEGACY = {
  nonce: number(9),
  gasPrice: number(20_000_000_000),
  gas: number(21_000),
  to: address(TO),
  value: number(10n ** 18n),
  data: new Uint8Array(),
  chainId: number(1),
  r: number(0),
  s: number(0),
}

const legacy = (changes: Changes = {}) => rlp(Object.values({ ...LEGACY, ...changes }))

test('the example of EIP-155 is read, hashed and signed as it says', (t) => {
  const unsigned = hexToBytes('ec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080018080')
  t.deepEqual(legacy(), unsigned)
  t.deepEqual(codec.read(unsigned, sender), {
    kind: 'transfer',
    asset: 'eip155:1/slip44:60',
    to: TO,
    amount: 10n ** 18n,
    fee: 21_000n * 20_000_000_000n,
    memo: null,
    conflicts: ['nonce:0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F:9'],
    lifetimeSeconds: null,
  })
  const [digest] = codec.messages(unsigned, sender)
  t.is(bytesToHex(digest!), 'daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53')
  const r = 18515461264373351373200002665853028612451056578545711640558177340181847433846n
  const s = 46948507304638947509940763649030358759909902576025900602547168820602576006531n
  const signature = concatBytes(numberToBytesBE(r, 32), numberToBytesBE(s, 32))
  const { raw } = codec.attach(unsigned, sender, [{ signature, recoveryId: 0 }])
  t.is(
    bytesToHex(raw),
    'f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83',
  )
})

test('a transfer of a token is told by its call', (t) => {
  t.like(codec.read(token(transferCall(TO, 5n)), sender), {
    kind: 'transfer',
    asset: `eip155:1/erc20:${TOKEN}`,
    to: TO,
    amount: 5n,
    fee: 21_000n * 30_000_000_000n,
  })
})

test('nothing sent to oneself is a cancellation', (t) => {
  const nothing = { to: address(sender.address), value: number(0) }
  for (const unsigned of [dynamic(nothing), legacy(nothing)])
    t.like(codec.read(unsigned, sender), { kind: 'cancellation', asset: 'eip155:1/slip44:60', to: sender.address, amount: 0n })
})

const numbers = fc.record({
  nonce: fc.nat(),
  gas: fc.bigInt(21_000n, 30_000_000n),
  to: fc.uint8Array({ minLength: 20, maxLength: 20 }).filter((bytes) => bytes.some((byte) => byte !== 0)),
  amount: fc.bigInt(1n, 2n ** 256n - 1n),
  fees: fc
    .tuple(fc.bigInt(0n, 10n ** 12n), fc.bigInt(0n, 10n ** 12n))
    .map(([a, b]) => (a < b ? { tip: a, maxFee: b } : { tip: b, maxFee: a })),
  secret: fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((bytes) => secp256k1.utils.isValidSecretKey(bytes)),
  isLegacy: fc.boolean(),
  isToken: fc.boolean(),
})

test('whatever viem writes is read, and signed as viem signs it', async (t) => {
  await fc.assert(
    fc.asyncProperty(numbers, async ({ nonce, gas, to, amount, fees, secret, isLegacy, isToken }) => {
      const from = senderOf(secret)
      const recipient: Hex = `0x${bytesToHex(to)}`
      const transaction = {
        chainId: 1,
        nonce,
        gas,
        ...(isToken
          ? { to: TOKEN as Hex, data: encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [recipient, amount] }) }
          : { to: recipient, value: amount }),
        ...(isLegacy
          ? { type: 'legacy' as const, gasPrice: fees.maxFee }
          : { type: 'eip1559' as const, maxFeePerGas: fees.maxFee, maxPriorityFeePerGas: fees.tip }),
      }
      const unsigned = hexToBytes(serializeTransaction(transaction).slice(2))
      const effect = codec.read(unsigned, from)
      t.is(effect.to.toLowerCase(), recipient)
      t.is(effect.amount, amount)
      t.is(effect.fee, gas * fees.maxFee)
      t.deepEqual(effect.conflicts, [`nonce:${from.address}:${nonce}`])
      const made = codec.attach(unsigned, from, [sign(codec.messages(unsigned, from)[0]!, secret)])
      const raw = await privateKeyToAccount(`0x${bytesToHex(secret)}`).signTransaction(transaction)
      t.is(`0x${bytesToHex(made.raw)}`, raw)
      t.is(made.hash, `0x${bytesToHex(keccak_256(hexToBytes(raw.slice(2))))}`)
    }),
    { numRuns: 100 },
  )
})

const call = transferCall(TO, 5n)
const changed = (bytes: Uint8Array, index: number, value: number) => bytes.map((byte, at) => (at === index ? value : byte))

for (const [what, unsigned, message] of [
  ['nothing', new Uint8Array(), /no transaction/],
  ['what is no transaction', new Uint8Array(32).fill(1), /no transaction|neither/],
  ['more than anybody needs', new Uint8Array(1_025), /longer than/],
  ['a byte behind it', concatBytes(dynamic(), Uint8Array.of(0)), /no transaction/],
  ['a byte missing', dynamic().subarray(0, -1), /no transaction/],
  ['a transaction signed already', dynamic({ v: number(1), r: number(2), s: number(3) }), /one encoding/],
  ['a legacy one signed already', legacy({ chainId: number(37), r: number(2), s: number(3) }), /one encoding/],
  ['another chain', dynamic({ chainId: number(137) }), /for the chain eip155:137, not eip155:1/],
  ['another chain in a legacy one', legacy({ chainId: number(137) }), /for the chain eip155:137/],
  ['a legacy one for every chain', rlp(Object.values(LEGACY).slice(0, 6)), /no chain id/],
  ['a contract', dynamic({ to: new Uint8Array() }), /makes a contract/],
  ['a recipient that is too short', dynamic({ to: new Uint8Array(19).fill(1) }), /no transaction/],
  ['an access list', dynamic({ accessList: [[address(TO), []]] }), /one encoding/],
  [
    'an older type with an access list',
    concatBytes(Uint8Array.of(1), rlp([number(1), number(7), number(1), number(21_000), address(TO), number(1), new Uint8Array(), []])),
    /neither/,
  ],
  ['an unknown type', changed(dynamic(), 0, 5), /no transaction/],
  ['a zero in front of a number', dynamic({ value: Uint8Array.of(0, 1) }), /one encoding/],
  ['a zero that is written', dynamic({ nonce: Uint8Array.of(0) }), /one encoding/],
  ['a nonce that is no exact number', dynamic({ nonce: number(2n ** 53n) }), /no transaction/],
  [
    'a length that is written longer than needed',
    concatBytes(Uint8Array.of(2, 0xf9, 0), rlp(Object.values({ ...DYNAMIC, data: call })).subarray(1)),
    /one encoding/,
  ],
  ['an amount that no word can hold', dynamic({ value: number(2n ** 256n) }), /out of its range/],
  ['more gas than there can be', dynamic({ gas: number(2n ** 64n) }), /out of its range/],
  ['a price that no word can hold', legacy({ gasPrice: number(2n ** 256n) }), /no transaction/],
  ['a highest fee that no word can hold', dynamic({ maxFee: number(2n ** 256n) }), /no transaction/],
  ['a priority fee above all fees', dynamic({ maxFee: number(0) }), /above the whole fee/],
  ['coins to oneself', dynamic({ to: address(sender.address) }), /recipient is its sender/],
  ['nothing to another', dynamic({ value: number(0) }), /moves nothing/],
  ['coins to the zero address', dynamic({ to: new Uint8Array(20) }), /lost/],
  ['a note with coins', dynamic({ data: new Uint8Array(3) }), /calls something else/],
  ['coins with the transfer of a token', token(call, { value: number(1) }), /coins along with a call/],
  ['another call', token(changed(call, 0, 0x09)), /calls something else/],
  ['a transferFrom', token(concatBytes(hexToBytes('23b872dd'), new Uint8Array(96))), /calls something else/],
  ['a byte behind the call', token(concatBytes(call, Uint8Array.of(0))), /calls something else/],
  ['a byte of the call missing', token(call.subarray(0, -1)), /calls something else/],
  ['bytes in front of the recipient', token(changed(call, 4, 1)), /calls something else/],
  ['no tokens', token(transferCall(TO, 0n)), /moves nothing/],
  ['tokens to oneself', token(transferCall(sender.address, 5n)), /recipient is its sender/],
  ['tokens to their contract', token(transferCall(TOKEN, 5n)), /the token itself/],
  ['tokens to the zero address', token(transferCall(`0x${'00'.repeat(20)}`, 5n)), /lost/],
  ['a call of oneself', token(call, { to: address(sender.address) }), /no token/],
  ['a call of the zero address', token(call, { to: new Uint8Array(20) }), /no token/],
] as const) {
  test(`${what} is refused`, (t) => {
    const isRefused = { instanceOf: TransactionRefused, message }
    t.throws(() => codec.read(unsigned, sender), isRefused)
    t.throws(() => codec.messages(unsigned, sender), isRefused)
    t.throws(() => codec.attach(unsigned, sender, [sign(keccak_256(unsigned))]), isRefused)
  })
}

test('each change of a byte is refused, or tells another story, and has another digest', (t) => {
  const story = (bytes: Uint8Array) =>
    Object.entries(codec.read(bytes, sender))
      .map(([field, value]) => `${field}=${value}`)
      .join()
  for (const unsigned of [dynamic(), legacy(), token(call)]) {
    for (let index = 0; index < unsigned.length; index++) {
      const other = changed(unsigned, index, unsigned[index]! ^ 1)
      let told: string
      try {
        told = story(other)
      } catch (error) {
        t.true(error instanceof TransactionRefused, String(error))
        continue
      }
      // The priority fee alone changes nothing that is told: the most that can be paid stays the same.
      const isTip = bytesToHex(other) === bytesToHex(withTip(unsigned, other))
      if (!isTip) t.not(told, story(unsigned), `byte ${index}`)
      t.notDeepEqual(codec.messages(other, sender), codec.messages(unsigned, sender))
    }
  }
  t.pass()
})

/** The transaction with the priority fee that the other one has. */
function withTip(unsigned: Uint8Array, other: Uint8Array): Uint8Array {
  const at = bytesToHex(unsigned).indexOf(bytesToHex(DYNAMIC.tip)) / 2
  return unsigned.map((byte, index) => (index >= at && index < at + DYNAMIC.tip.length ? other[index]! : byte))
}

for (const [what, from] of [
  ['of another key', { ...sender, publicKey: secp256k1.getPublicKey(new Uint8Array(32).fill(1)) }],
  ['of no key', { ...sender, publicKey: new Uint8Array(33) }],
  ['in lower case', { ...sender, address: sender.address.toLowerCase() }],
  ['with a key of another scheme', { ...sender, scheme: 'frost-secp256k1-tr' }],
] as const) {
  test(`a sender's address ${what} is refused`, (t) => {
    t.throws(() => codec.read(dynamic(), from), { instanceOf: TransactionRefused })
  })
}

const digest = keccak_256(dynamic())
const made = sign(digest)
const { Fn } = secp256k1.Point
const highS = concatBytes(made.signature.subarray(0, 32), Fn.toBytes(Fn.neg(Fn.fromBytes(made.signature.subarray(32)))))

for (const [what, signatures, message] of [
  ['none', [], /one signature/],
  ['two', [made, made], /one signature/],
  ['one by another key', [sign(digest, new Uint8Array(32).fill(1))], /not that of the sender/],
  ['one of something else', [sign(keccak_256(legacy()))], /not that of the sender/],
  ['one without a recovery id', [{ ...made, recoveryId: null }], /0 or 1/],
  ['one with the other recovery id', [{ ...made, recoveryId: 1 - made.recoveryId! }], /not that of the sender/],
  ['one with a recovery id that no transaction can hold', [{ ...made, recoveryId: made.recoveryId! + 2 }], /0 or 1/],
  ['one whose s is in the upper half', [{ signature: highS, recoveryId: 1 - made.recoveryId! }], /lower half/],
  ['zeros', [{ signature: new Uint8Array(64), recoveryId: 0 }], /not that of the sender/],
  ['a byte too few', [{ ...made, signature: made.signature.subarray(1) }], /64 bytes/],
] as const) {
  test(`of signatures, ${what} will not do`, (t) => {
    t.notThrows(() => codec.attach(dynamic(), sender, [made]))
    t.throws(() => codec.attach(dynamic(), sender, signatures), { instanceOf: TransactionRefused, message })
  })
}

test('a chain of another coin, and with a long id, has transactions of its own', async (t) => {
  const polygon = await family.chain('137')!.transactions()
  t.like(polygon.read(dynamic({ chainId: number(137) }), sender), { asset: 'eip155:137/slip44:966' })
  const long = await family.chain(String(Number.MAX_SAFE_INTEGER))!.transactions()
  const unsigned = legacy({ chainId: number(Number.MAX_SAFE_INTEGER) })
  const { raw } = long.attach(unsigned, sender, [sign(keccak_256(unsigned))])
  const v = 2n * BigInt(Number.MAX_SAFE_INTEGER) + 35n
  t.true([v, v + 1n].some((each) => bytesToHex(raw).includes(bytesToHex(rlp(number(each))))))
})
