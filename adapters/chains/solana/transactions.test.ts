import { createHash, createPrivateKey, sign } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import { base58, base64urlnopad } from '@scure/base'
import { type Address, getAddressEncoder, getProgramDerivedAddress, getTransactionDecoder } from '@solana/kit'
import test from 'ava'
import fc from 'fast-check'
import { type Effect, type Sender, TransactionRefused } from '../../../domain/ports/transaction-codec.ts'
import { addressOf } from './address.ts'
import { TOKEN_ACCOUNT_RENT } from './fees.ts'
import type { Step } from './instructions.ts'
import { encodeMessage } from './message.ts'
import { ASSOCIATED_TOKEN, TOKEN, tokenAccountOf } from './programs.ts'
import { transactionsOf } from './transactions.ts'

const chain = { id: 'solana:localnet', nativeAsset: 'solana:localnet/slip44:501' }
const codec = transactionsOf(chain)

const keyOf = (seed: number) => {
  const secret = new Uint8Array(32).fill(seed)
  const publicKey = ed25519.getPublicKey(secret)
  return { secret, sender: { scheme: 'frost-ed25519', publicKey, address: addressOf(publicKey) } satisfies Sender }
}
const { secret, sender } = keyOf(1)
const stranger = keyOf(2).sender
const to = keyOf(3).sender.address
const mint = keyOf(4).sender.address
const nonceAccount = keyOf(5).sender.address
const lifetime = base58.encode(new Uint8Array(32).fill(7))

const coins: Step = { kind: 'transfer', from: sender.address, to, lamports: 1_000n }
const opened: Step = { kind: 'openTokenAccount', payer: sender.address, owner: to, mint }
const tokens: Step = {
  kind: 'transferTokens',
  source: tokenAccountOf(sender.address, mint),
  mint,
  destination: tokenAccountOf(to, mint),
  authority: sender.address,
  amount: 5n,
  decimals: 6,
}
const nonce: Step = { kind: 'advanceNonce', account: nonceAccount, authority: sender.address }
const limit: Step = { kind: 'unitLimit', units: 2_000 }
const price: Step = { kind: 'unitPrice', price: 1_000_001n }

const made = (steps: readonly Step[], payer = sender.address) => encodeMessage({ payer, lifetime, steps })
const refused = { instanceOf: TransactionRefused, code: 'transaction_refused' } as const

test('a transfer of the coin tells what it does, and what it can cost', (t) => {
  const unsigned = made([limit, price, { kind: 'memo', text: 'rent ✓' }, coins])
  t.deepEqual(codec.read(unsigned, sender), {
    kind: 'transfer',
    asset: chain.nativeAsset,
    to,
    amount: 1_000n,
    fee: 5_000n + 2_001n,
    memo: 'rent ✓',
    conflicts: [`message:${createHash('sha256').update(unsigned).digest('hex')}`],
    lifetimeSeconds: 180,
  })
})

test('a transfer of tokens tells whom they go to; opening an account for them may cost its rent', (t) => {
  const read = codec.read(made([limit, opened, tokens]), sender)
  t.like(read, { kind: 'transfer', asset: `${chain.id}/token:${mint}`, to, amount: 5n, fee: 5_000n + TOKEN_ACCOUNT_RENT })
})

test('with a durable nonce a transaction uses that up, and lasts', (t) => {
  const conflicts = [`durable-nonce:${nonceAccount}:${lifetime}`]
  t.like(codec.read(made([nonce, limit, coins]), sender), { conflicts, lifetimeSeconds: null })
  t.like(codec.read(made([nonce, limit, price]), sender), { kind: 'cancellation', amount: 0n, to: sender.address, conflicts })
})

/** Named by what is wrong with each. */
const WRONG: { readonly [what: string]: () => Uint8Array } = {
  'somebody else pays': () => made([coins], stranger.address),
  "somebody else's coins": () => made([{ ...coins, from: stranger.address }]),
  'coins to the sender': () => made([{ ...coins, to: sender.address }]),
  'no coins': () => made([{ ...coins, lamports: 0n }]),
  'two transfers': () => made([coins, { ...coins, to: stranger.address }]),
  'coins and tokens': () => made([opened, coins, tokens]),
  'tokens without saying whose the account is': () => made([tokens]),
  'tokens into the account of somebody else than is said': () => made([{ ...opened, owner: stranger.address }, tokens]),
  'an account for other tokens': () => made([{ ...opened, mint: to }, tokens]),
  "somebody else's tokens": () => made([opened, { ...tokens, source: tokenAccountOf(stranger.address, mint) }]),
  'tokens by another authority': () => made([opened, { ...tokens, authority: stranger.address }]),
  'no tokens': () => made([opened, { ...tokens, amount: 0n }]),
  'tokens to the sender': () =>
    made([
      { ...opened, owner: sender.address },
      { ...tokens, destination: tokenAccountOf(sender.address, mint) },
    ]),
  "somebody else's durable nonce": () => made([{ ...nonce, authority: stranger.address }, coins]),
  'a durable nonce that is not advanced first': () => made([limit, nonce, coins]),
  'something after the transfer': () => made([coins, limit]),
  'nothing at all': () => made([]),
  'only a limit': () => made([limit]),
  'only an account for tokens': () => made([opened]),
  'a cancellation with a memo': () => made([nonce, { kind: 'memo', text: 'x' }]),
}
for (const [what, transaction] of Object.entries(WRONG))
  test(`refused: ${what}`, (t) => {
    t.throws(() => codec.read(transaction(), sender), refused)
  })

test('whatever byte is changed, the transaction is refused or does something else', (t) => {
  // So many units that every change of the price shows in the fee.
  const units: Step = { kind: 'unitLimit', units: 1_399_999 }
  for (const steps of [
    [units, price, coins],
    [nonce, opened, tokens],
  ] as const) {
    const unsigned = made(steps)
    const before = codec.read(unsigned, sender)
    // With wrong decimals, the last byte of one of tokens, the transaction fails.
    const length = unsigned.length - (steps[0] === nonce ? 1 : 0)
    for (let index = 0; index < length; index++) {
      const changed = Uint8Array.from(unsigned)
      changed[index]! ^= 1 << (index % 8)
      try {
        const after = codec.read(changed, sender)
        // A block's hash is not for the reader to judge; it shows in the conflicts alone.
        const isHash = !Buffer.from(changed).includes(Buffer.from(base58.decode(lifetime)))
        const shown = (effect: Effect) => ({
          ...effect,
          conflicts: effect.conflicts.filter((each) => isHash || !each.startsWith('message:')),
        })
        t.notDeepEqual(shown(after), shown(before), `byte ${index}`)
      } catch (error) {
        t.true(error instanceof TransactionRefused, `byte ${index}: ${error}`)
      }
    }
    t.throws(() => codec.read(unsigned.subarray(0, -1), sender), refused)
    t.throws(() => codec.read(Uint8Array.of(...unsigned, 0), sender), refused)
  }
})

test('bytes that are no transaction are refused, whatever they are', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      t.throws(() => codec.read(bytes, sender), refused)
    }),
  )
  t.throws(() => codec.read(new Uint8Array(2_000), sender), refused)
})

test('a transaction with look-up tables is refused', (t) => {
  t.throws(() => codec.read(Uint8Array.of(0x80, ...made([coins]), 0), sender), refused)
})

test('the signed transaction is what another reader takes for it', (t) => {
  const unsigned = made([limit, coins])
  t.deepEqual(codec.messages(unsigned, sender), [unsigned])
  const key = createPrivateKey({
    key: { kty: 'OKP', crv: 'Ed25519', d: base64urlnopad.encode(secret), x: base64urlnopad.encode(sender.publicKey) },
    format: 'jwk',
  })
  const signature = Uint8Array.from(sign(null, unsigned, key))
  const { raw, hash } = codec.attach(unsigned, sender, [{ signature, recoveryId: null }])
  const decoded = getTransactionDecoder().decode(raw)
  t.deepEqual(Uint8Array.from(decoded.messageBytes), unsigned)
  t.deepEqual(Object.keys(decoded.signatures), [sender.address])
  t.is(hash, base58.encode(signature))

  const other = Uint8Array.from(signature)
  other[0]! ^= 1
  for (const signatures of [
    [],
    [{ signature: other, recoveryId: null }],
    [
      { signature, recoveryId: null },
      { signature, recoveryId: null },
    ],
  ])
    t.throws(() => codec.attach(unsigned, sender, signatures), refused)
})

test('the key must be that of the address', (t) => {
  t.throws(() => codec.read(made([coins]), { ...sender, publicKey: stranger.publicKey }), refused)
  t.throws(() => codec.read(made([coins]), { ...sender, scheme: 'dkls23-secp256k1' }), refused)
})

test('the account of an owner for a token is where everybody looks for it', async (t) => {
  const encoder = getAddressEncoder()
  for (const owner of [sender, stranger, keyOf(6).sender, keyOf(7).sender, keyOf(8).sender]) {
    const seeds = [owner.address, TOKEN, mint].map((address) => encoder.encode(address as Address))
    const [derived] = await getProgramDerivedAddress({ programAddress: ASSOCIATED_TOKEN as Address, seeds })
    t.is(tokenAccountOf(owner.address, mint), derived)
  }
})
