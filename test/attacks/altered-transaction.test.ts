import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import type { Step } from '../../adapters/chains/solana/instructions.ts'
import { accountIdOf } from '../../domain/account/account-id.ts'
import { createSigner } from '../../domain/authorisation/testing/signer.ts'
import type { CeremonyReply } from '../../domain/ceremony/messages.ts'
import type { ExistingKeyShare } from '../../domain/key-share/key-share.ts'
import { startTestSystem, type TestSystem } from '../ceremony/system.ts'
import {
  BITCOIN,
  BITCOINS,
  bitcoinTransaction,
  chains,
  ETHER,
  ETHEREUM,
  etherAddress,
  evmTransaction,
  SOLANA,
  SOLS,
  senderOf,
  solanaAddress,
  solanaTransaction,
  TOKEN,
  TOKEN_CONTRACT,
  tokenTransaction,
} from '../transactions.ts'
import { askToSign, PARTY, signatureRequest } from './coordinator.ts'
import { type AskedTransfer, askForTransaction, isSigned, type TransactionAsked, transferRequest } from './transfers.ts'

const BTC_TO = 'bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu'
const BTC_OTHER = '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa'
const [TO, OTHER] = [etherAddress(1), etherAddress(2)]
const ether = { chain: ETHEREUM, asset: ETHER, to: TO, amount: '1000' }
const token = { ...ether, asset: TOKEN }
const bitcoin = { chain: BITCOIN, asset: BITCOINS, to: BTC_TO, amount: '50000' }

let system: TestSystem
let evmKey: ExistingKeyShare
let btcKey: ExistingKeyShare
let solanaKey: ExistingKeyShare
let walletId: string

test.before(async () => {
  system = await startTestSystem({ parties: 2, chains })
  walletId = await system.createWallet()
  evmKey = await system.generateKey(walletId, { scheme: 'dkls23-secp256k1', threshold: 2, parties: [PARTY, 'party-2'] })
  solanaKey = await system.generateKey(walletId, { scheme: 'frost-ed25519', threshold: 1, parties: [PARTY] })
  btcKey = await system.generateKey(walletId, { scheme: 'frost-secp256k1-tr', threshold: 1, parties: [PARTY] })
})

test.after.always(() => system?.close())

const refusedWith = (t: ExecutionContext, reply: CeremonyReply, code: string, reason?: RegExp, what?: string) => {
  t.like(reply, { type: 'refused', code }, what)
  if (reason && reply.type === 'refused') t.regex(reply.reason, reason, what)
}

const onEthereum = (body: object, unsigned: Uint8Array, changes: Partial<TransactionAsked> = {}, transfer?: AskedTransfer) =>
  askForTransaction(system, evmKey, transfer ?? transferRequest(system, walletId, body), { chain: ETHEREUM, unsigned, ...changes })

const payment = { to: TO, amount: 1_000n }

test.serial('what the client has asked for is signed: coins and tokens on Ethereum, and bitcoins', async (t) => {
  t.true(isSigned(await onEthereum(ether, evmTransaction(payment))))
  t.true(isSigned(await onEthereum(token, tokenTransaction(payment))))
  const unsigned = bitcoinTransaction(senderOf(btcKey, BITCOIN), [{ to: BTC_TO, amount: 50_000n }])
  t.true(isSigned(await askForTransaction(system, btcKey, transferRequest(system, walletId, bitcoin), { chain: BITCOIN, unsigned })))
})

const gwei = 1_000_000_000n
for (const [what, unsigned, code, reason] of [
  ['another destination', evmTransaction({ ...payment, to: OTHER }), 'transaction_mismatch', /^the to /],
  ['another amount', evmTransaction({ ...payment, amount: 1_001n }), 'transaction_mismatch', /^the amount /],
  ['another asset', tokenTransaction(payment), 'transaction_mismatch', /^the asset /],
  [
    'a higher fee',
    evmTransaction(payment, { gas: 30_000_000n, fees: { kind: 'legacy', gasPrice: 1_000n * gwei } }),
    'fee_too_high',
    undefined,
  ],
  ['another chain', evmTransaction(payment, { chainId: 137 }), 'transaction_refused', undefined],
  ['a cancellation that nobody has asked for', undefined, 'transaction_mismatch', /^the kind /],
  ['extra data', evmTransaction(payment, { data: Uint8Array.of(1) }), 'transaction_refused', undefined],
  ['bytes after it', Uint8Array.of(...evmTransaction(payment), 0), 'transaction_refused', undefined],
  ['coins that go along with a call', tokenTransaction(payment, { value: 1n }), 'transaction_refused', undefined],
  ['no transaction at all', Uint8Array.of(1, 2, 3), 'transaction_refused', undefined],
] as const) {
  test.serial(`Ethereum: ${what}: refused`, async (t) => {
    const bytes = unsigned ?? evmTransaction({ to: senderOf(evmKey, ETHEREUM).address, amount: 0n })
    refusedWith(t, await onEthereum(ether, bytes), code, reason)
  })
}

test.serial('Ethereum: the token, its recipient and its amount are compared', async (t) => {
  refusedWith(t, await onEthereum(token, evmTransaction(payment)), 'transaction_mismatch', /^the asset /)
  refusedWith(t, await onEthereum(token, tokenTransaction({ ...payment, to: OTHER })), 'transaction_mismatch', /^the to /)
  refusedWith(t, await onEthereum(token, tokenTransaction({ ...payment, amount: 1n })), 'transaction_mismatch', /^the amount /)
  refusedWith(t, await onEthereum(token, tokenTransaction(payment, { to: OTHER })), 'transaction_mismatch', /^the asset /)
  t.not(OTHER, TOKEN_CONTRACT)
})

test.serial('the chain that the coordinator names, the transfer, and the message are compared', async (t) => {
  const unsigned = evmTransaction(payment)
  refusedWith(t, await onEthereum(ether, unsigned, { chain: 'eip155:137' }), 'transaction_mismatch', /^the chain /)
  refusedWith(t, await onEthereum({ ...ether, chain: 'eip155:4711' }, unsigned), 'transaction_refused', /knows nothing/)
  refusedWith(t, await onEthereum(ether, unsigned, { transferId: randomUUID() }), 'request_mismatch')
  refusedWith(t, await onEthereum(ether, unsigned, { index: 1 }), 'malformed')
  t.true(isSigned(await onEthereum({ ...ether, memo: 'rent' }, unsigned)), 'a memo is a note that nothing carries')
})

test.serial('the account that the client has named pays, and no other key or path of the wallet', async (t) => {
  const account = { walletId, keyId: evmKey.keyId, chain: ETHEREUM, path: 'm/0' }
  const named = { ...ether, accountId: accountIdOf(account) }
  t.true(isSigned(await onEthereum(named, evmTransaction(payment), { path: 'm/0' })))
  refusedWith(t, await onEthereum(named, evmTransaction(payment)), 'transaction_mismatch', /^the account /)
  const others = { ...ether, accountId: accountIdOf({ ...account, keyId: btcKey.keyId }) }
  refusedWith(t, await onEthereum(others, evmTransaction(payment), { path: 'm/0' }), 'transaction_mismatch', /^the account /)
})

test.serial('Bitcoin: destination, amount, memo, fee, inputs and path are compared', async (t) => {
  const sender = senderOf(btcKey, BITCOIN)
  const paid = { to: BTC_TO, amount: 50_000n }
  const ask = (unsigned: Uint8Array, changes: Partial<TransactionAsked> = {}, body: object = bitcoin) =>
    askForTransaction(system, btcKey, transferRequest(system, walletId, body), { chain: BITCOIN, unsigned, ...changes })
  const build = (payments: readonly (typeof paid)[], options = {}) => bitcoinTransaction(sender, payments, { coins: [2], ...options })
  refusedWith(t, await ask(build([{ ...paid, to: BTC_OTHER }])), 'transaction_mismatch', /^the to /)
  refusedWith(t, await ask(build([{ ...paid, amount: 50_001n }])), 'transaction_mismatch', /^the amount /)
  refusedWith(t, await ask(build([paid], { memo: 'for nothing' })), 'transaction_mismatch', /^the memo /)
  refusedWith(t, await ask(build([paid, { to: BTC_OTHER, amount: 1_000n }])), 'transaction_refused')
  refusedWith(t, await ask(build([paid], { coins: [2, 3], fee: 1_000_001n })), 'fee_too_high')
  refusedWith(t, await ask(build([paid], { fee: 2_000n }), {}, { ...bitcoin, maxFee: '1999' }), 'fee_too_high')
  refusedWith(t, await ask(bitcoinTransaction(senderOf(btcKey, BITCOIN, 'm/1'), [paid])), 'transaction_refused')
  refusedWith(t, await ask(build([paid]), { path: 'm/1' }), 'transaction_refused')
  refusedWith(t, await ask(build([paid]), { chain: `bip122:${'0'.repeat(32)}` }), 'transaction_mismatch', /^the chain /)
  t.true(isSigned(await ask(build([paid], { coins: [4], memo: 'rent' }), {}, { ...bitcoin, publicMemo: 'rent' })))
})

test.serial('Solana: destination, amount, asset, memo, fee, payer and what else is done are compared', async (t) => {
  const sender = senderOf(solanaKey, SOLANA)
  const [to, other] = [solanaAddress(1), solanaAddress(2)]
  const body = { chain: SOLANA, asset: SOLS, to, amount: '1000' }
  const coins = { kind: 'transfer', from: sender.address, to, lamports: 1_000n } as const
  const ask = (unsigned: Uint8Array, changes: Partial<TransactionAsked> = {}, wanted: object = body) =>
    askForTransaction(system, solanaKey, transferRequest(system, walletId, wanted), { chain: SOLANA, unsigned, ...changes })
  const build = (payment: { to: string; amount: bigint }, steps?: readonly Step[]) => solanaTransaction(sender, payment, steps && { steps })
  const sound = { to, amount: 1_000n }
  refusedWith(t, await ask(build({ ...sound, to: other })), 'transaction_mismatch', /^the to /)
  refusedWith(t, await ask(build({ ...sound, amount: 1_001n })), 'transaction_mismatch', /^the amount /)
  refusedWith(
    t,
    await ask(build(sound), {}, { ...body, asset: `${SOLANA}/token:${solanaAddress(3)}` }),
    'transaction_mismatch',
    /^the asset /,
  )
  refusedWith(t, await ask(build(sound, [{ kind: 'memo', text: 'rent' }, coins])), 'transaction_mismatch', /^the memo /)
  const dear = [{ kind: 'unitLimit', units: 1_000_000 } as const, { kind: 'unitPrice', price: 20_000_000n } as const, coins]
  refusedWith(t, await ask(build(sound, dear)), 'fee_too_high')
  refusedWith(t, await ask(build(sound, [coins, { ...coins, to: other }])), 'transaction_refused')
  refusedWith(
    t,
    await ask(build(sound, [{ kind: 'advanceNonce', account: other, authority: sender.address }])),
    'transaction_mismatch',
    /^the kind /,
  )
  refusedWith(t, await ask(solanaTransaction(senderOf(solanaKey, SOLANA, 'm/1'), sound)), 'transaction_refused')
  refusedWith(t, await ask(build(sound), { path: 'm/1' }), 'transaction_refused')
  const transfer = transferRequest(system, walletId, body)
  t.true(isSigned(await askForTransaction(system, solanaKey, transfer, { chain: SOLANA, unsigned: build(sound) })))
  const later = solanaTransaction(sender, sound, { block: 2 })
  refusedWith(t, await askForTransaction(system, solanaKey, transfer, { chain: SOLANA, unsigned: later }), 'signed_already')
})

test.serial(
  'Solana: a durable nonce in the hands of the account is used, by one transaction, and nothing else is done with it',
  async (t) => {
    const sender = senderOf(solanaKey, SOLANA)
    const [to, other, nonceAccount] = [solanaAddress(1), solanaAddress(2), solanaAddress(5)]
    const advance = { kind: 'advanceNonce', account: nonceAccount, authority: sender.address } as const
    const coins = { kind: 'transfer', from: sender.address, to, lamports: 2_000n } as const
    const build = (steps: readonly Step[]) => solanaTransaction(sender, { to, amount: 2_000n }, { block: 7, steps })
    const ask = (unsigned: Uint8Array, transfer = transferRequest(system, walletId, { chain: SOLANA, asset: SOLS, to, amount: '2000' })) =>
      askForTransaction(system, solanaKey, transfer, { chain: SOLANA, unsigned })
    const sound = build([advance, coins])
    /** The instruction on the nonce is made another one, of the same length: `AdvanceNonceAccount` is 4. */
    const made = (instruction: number) => {
      const place = Buffer.from(sound).indexOf(Buffer.from([4, 4, 0, 0, 0]))
      return sound.with(place + 1, instruction)
    }
    t.deepEqual(made(4), sound)
    for (const instruction of [5, 6, 7, 12]) refusedWith(t, await ask(made(instruction)), 'transaction_refused')
    refusedWith(t, await ask(build([{ ...advance, authority: other }, coins])), 'transaction_refused')
    refusedWith(t, await ask(build([coins, advance])), 'transaction_refused')
    refusedWith(t, await ask(build([advance, { ...advance, account: other }, coins])), 'transaction_refused')
    const transfer = transferRequest(system, walletId, { chain: SOLANA, asset: SOLS, to, amount: '2000' })
    t.true(isSigned(await ask(sound, transfer)))
    refusedWith(t, await ask(build([advance, { kind: 'unitLimit', units: 7_000 }, coins]), transfer), 'signed_already')
    refusedWith(t, await ask(build([advance, { kind: 'unitLimit', units: 7_000 }, coins])), 'signed_already')
  },
)

test.serial('the request of a transfer is none for a signature without a transaction, nor the other way round', async (t) => {
  const { authorisation } = transferRequest(system, walletId, bitcoin)
  refusedWith(t, await askToSign(system, btcKey, { authorisation }), 'request_mismatch')
  const unsigned = bitcoinTransaction(senderOf(btcKey, BITCOIN), [{ to: BTC_TO, amount: 50_000n }], { coins: [9] })
  const payload = {
    kind: 'transaction',
    chain: BITCOIN,
    transferId: randomUUID(),
    unsigned: Buffer.from(unsigned).toString('base64'),
    index: 0,
  }
  const smuggled = system.client.authorise(signatureRequest(btcKey, { payload }))
  refusedWith(t, await askToSign(system, btcKey, { authorisation: smuggled }), 'malformed')
})

test.serial('a key of another scheme has no account on the chain', async (t) => {
  const reply = await askForTransaction(system, btcKey, transferRequest(system, walletId, ether), {
    chain: ETHEREUM,
    unsigned: evmTransaction(payment),
  })
  refusedWith(t, reply, 'transaction_refused')
})

test.serial(
  'the request must be that of a transfer of this wallet, by a client of the key, and have a body that is read in one way',
  async (t) => {
    const unsigned = evmTransaction(payment)
    const elsewhere = transferRequest(system, randomUUID(), ether)
    refusedWith(t, await onEthereum(ether, unsigned, {}, elsewhere), 'request_mismatch')
    const { authorisation, transferId } = transferRequest(system, walletId, ether)
    const altered = { ...authorisation, body: JSON.stringify({ ...ether, to: OTHER }) }
    const toOther = evmTransaction({ ...payment, to: OTHER })
    refusedWith(t, await onEthereum(ether, toOther, {}, { authorisation: altered, transferId }), 'intent_body_mismatch')
    const stranger = createSigner('client')
    const forged = stranger.authorise({ method: 'POST', path: authorisation.path, body: altered.body })
    refusedWith(t, await onEthereum(ether, toOther, {}, { authorisation: forged, transferId }), 'intent_signature_invalid')
    refusedWith(t, await onEthereum({ ...ether, more: 1 }, unsigned), 'malformed')
    const signature = system.authorise(`/v1/keys/${evmKey.keyId}/signatures`, ether)
    refusedWith(t, await onEthereum(ether, unsigned, {}, { authorisation: signature, transferId }), 'request_mismatch')
  },
)
