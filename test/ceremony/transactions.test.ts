import test from 'ava'
import { requestTransactionSignatures, type TransactionOrder } from '../../commands/processes/transaction-signing.ts'
import { DomainError } from '../../domain/domain-error.ts'
import type { ExistingKeyShare } from '../../domain/key-share/key-share.ts'
import type { MadeSignature } from '../../domain/ports/transaction-codec.ts'
import { signingSessionStream } from '../../domain/signing-session/events.ts'
import { type AskedTransfer, replacementOf, transferRequest } from '../attacks/transfers.ts'
import { BITCOIN, BITCOINS, bitcoinTransaction, chains, ETHER, ETHEREUM, etherAddress, evmTransaction, senderOf } from '../transactions.ts'
import { startTestSystem, type TestSystem } from './system.ts'

const PARTIES = ['party-1', 'party-2', 'party-3']
const BTC_TO = 'bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu'
const context = { correlationId: 'test', causationId: 'test', actor: 'transfers', tenant: 'test' }

let system: TestSystem
let walletId: string

test.before(async () => {
  system = await startTestSystem({ parties: PARTIES.length, chains, presignatures: 10 })
  walletId = await system.createWallet({ rawDigests: false, transfers: { tiers: [{ id: 'all', above: { usd: '0' }, signers: 3 }] } })
})
test.after.always(() => system?.close())

async function orderOf(
  key: ExistingKeyShare,
  { authorisation, transferId }: AskedTransfer,
  transaction: Pick<TransactionOrder, 'chain' | 'unsigned'> & Partial<TransactionOrder>,
): Promise<TransactionOrder> {
  const { path = 'm', chain, unsigned } = transaction
  const sender = senderOf(key, chain, path)
  const codec = await chains.get(chain)!.transactions()
  return {
    ...{ walletId, tenant: 'test', keyId: key.keyId, scheme: key.scheme, path, transferId, version: 1, attempt: 1 },
    publicKey: Buffer.from(sender.publicKey).toString('hex'),
    messages: codec.messages(unsigned, sender),
    authorisation,
    signers: 3,
    approvals: [],
    replacement: null,
    deadline: new Date(Date.now() + 60_000).toISOString(),
    ...transaction,
  }
}

/** The signatures of a transaction, by sessions that the coordinator leads; put together they are to be good. */
async function sign(order: TransactionOrder, key: ExistingKeyShare) {
  const ids = await requestTransactionSignatures(system.log, order, context)
  const sessions = await Promise.all(ids.map(system.outcome))
  const failed = sessions.find(({ status }) => status !== 'signed')
  if (failed) throw new Error(`the session is ${failed.status}: ${JSON.stringify(failed.failure)}`)
  const signatures = sessions.map(
    ({ signature, recoveryId }): MadeSignature => ({
      signature: new Uint8Array(Buffer.from(signature ?? '', 'hex')),
      recoveryId,
    }),
  )
  const codec = await chains.get(order.chain)!.transactions()
  return { ids, sessions, signed: codec.attach(order.unsigned, senderOf(key, order.chain, order.path), signatures) }
}

const generate = (scheme: 'frost-secp256k1-tr' | 'dkls23-secp256k1') =>
  system.generateKey(walletId, { scheme, threshold: 2, parties: PARTIES })

test.serial('as many sign as the policy wants, more than the threshold, for each input of one transaction', async (t) => {
  const key = await generate('frost-secp256k1-tr')
  await system.stocked(key, 10)
  const transfer = transferRequest(system, walletId, { chain: BITCOIN, asset: BITCOINS, to: BTC_TO, amount: '1500000' })
  const unsigned = bitcoinTransaction(senderOf(key, BITCOIN, 'm/0/5'), [{ to: BTC_TO, amount: 1_500_000n }], { coins: [1, 2] })
  const { sessions } = await sign(await orderOf(key, transfer, { chain: BITCOIN, unsigned, path: 'm/0/5' }), key)
  t.is(sessions.length, 2)
  for (const { status, signers } of sessions) t.deepEqual([status, signers.toSorted()], ['signed', PARTIES])
})

test.serial('so they do where signers open together, and a replacement that the client asks for follows', async (t) => {
  const key = await generate('dkls23-secp256k1')
  const transfer = transferRequest(system, walletId, { chain: ETHEREUM, asset: ETHER, to: etherAddress(1), amount: '1000' })
  const payment = { to: etherAddress(1), amount: 1_000n }
  const first = await sign(await orderOf(key, transfer, { chain: ETHEREUM, unsigned: evmTransaction(payment) }), key)
  t.deepEqual(first.sessions[0]!.signers.toSorted(), PARTIES)

  const faster = evmTransaction(payment, { fees: { kind: 'dynamic', maxFee: 20_000_000_000n, tip: 2_000_000_000n } })
  const replacement = replacementOf(system, transfer, 'accelerate', { fee: 'high' })
  const second = await sign(await orderOf(key, transfer, { chain: ETHEREUM, unsigned: faster, version: 2, replacement }), key)
  t.is(second.sessions[0]!.status, 'signed')
  t.not(second.signed.hash, first.signed.hash)

  const [other] = await requestTransactionSignatures(
    system.log,
    await orderOf(key, transfer, { chain: ETHEREUM, unsigned: evmTransaction(payment, { nonce: 8 }), version: 3 }),
    context,
  )
  t.like(await system.outcome(other!), { status: 'failed', failure: { code: 'signed_already' } })
})

test.serial('the same is asked for once, whoever asks, and another transaction is another version', async (t) => {
  const key = await generate('frost-secp256k1-tr')
  const transfer = transferRequest(system, walletId, { chain: BITCOIN, asset: BITCOINS, to: BTC_TO, amount: '50000' })
  const build = (coin: number) => bitcoinTransaction(senderOf(key, BITCOIN), [{ to: BTC_TO, amount: 50_000n }], { coins: [coin] })
  const order = await orderOf(key, transfer, { chain: BITCOIN, unsigned: build(3) })
  const asked = await Promise.all(Array.from({ length: 4 }, () => requestTransactionSignatures(system.log, order, context)))
  const { ids } = await sign(order, key)
  for (const each of asked) t.deepEqual(each, ids)
  const requests = (await system.events(signingSessionStream(ids[0]!))).filter(({ type }) => type === 'SigningRequested')
  t.is(requests.length, 1)
  const other = await orderOf(key, transfer, { chain: BITCOIN, unsigned: build(4) })
  await t.throwsAsync(requestTransactionSignatures(system.log, other, context), { instanceOf: DomainError, code: 'idempotency_key_reused' })
})

test.serial('that an attempt has begun is in the log before any party is asked: a successor knows what may be claimed', async (t) => {
  const key = await generate('dkls23-secp256k1')
  const transfer = transferRequest(system, walletId, { chain: ETHEREUM, asset: ETHER, to: etherAddress(1), amount: '1000' })
  const order = await orderOf(key, transfer, { chain: ETHEREUM, unsigned: evmTransaction({ to: etherAddress(1), amount: 1_000n }) })
  let askedAt = Number.POSITIVE_INFINITY
  for (const id of PARTIES)
    system.party(id).mishear = (asked) => {
      if (asked.header.kind === 'signing') askedAt = Math.min(askedAt, Date.now())
      return asked
    }
  const { ids } = await sign(order, key)
  for (const id of PARTIES) system.party(id).mishear = undefined
  const started = (await system.events(signingSessionStream(ids[0]!))).find(({ type }) => type === 'SigningStarted')
  t.true(Date.parse(started!.recordedAt) <= askedAt)
})

test.serial('more signers than there are holders are not to be had, which is said', async (t) => {
  const key = await generate('frost-secp256k1-tr')
  const transfer = transferRequest(system, walletId, { chain: BITCOIN, asset: BITCOINS, to: BTC_TO, amount: '50000' })
  const unsigned = bitcoinTransaction(senderOf(key, BITCOIN), [{ to: BTC_TO, amount: 50_000n }], { coins: [5] })
  const order = await orderOf(key, transfer, {
    chain: BITCOIN,
    unsigned,
    signers: 4,
    deadline: new Date(Date.now() + 20_000).toISOString(),
  })
  const [id] = await requestTransactionSignatures(system.log, order, context)
  t.like(await system.outcome(id!), { status: 'failed', failure: { code: 'quorum_unavailable' } })
})
