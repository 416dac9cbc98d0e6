import { ed25519 } from '@noble/curves/ed25519.js'
import anyTest, { type ExecutionContext } from 'ava'
import { addressOf } from '../../adapters/chains/solana/address.ts'
import { SYSTEM, TOKEN, tokenAccountOf } from '../../adapters/chains/solana/programs.ts'
import { ChainFailure } from '../../domain/ports/chain-node.ts'
import type { WalletPolicy } from '../../domain/wallet/policy.ts'
import type { BuiltTransaction } from '../../domain/wallet/transfers/events.ts'
import { availableOf, positionOf } from '../../domain/wallet/transfers/funds.ts'
import { type FaultProxy, startFaultProxy } from '../chains/fault-proxy.ts'
import { type SolanaNode, startSolana } from '../chains/solana-node.ts'
import { type ChainBench, startChainBench, type WholeKey } from './bench.ts'

/** One after another: each has a cluster and a log of its own. */
const test = anyTest.serial

const CHAIN = 'solana:localnet'
const SOL = 1_000_000_000n
/** Slots in which a deposit is found, and is deep enough; in which a block's hash is too old; in which a block is final. */
const CREDITED = 20
const LIFETIME = 150
const FINAL = 40
/** Longer than parties take a transaction to live. */
const DEAD_FOR_PARTIES_MS = 300_000

const STEPS = [
  'TransferRequested',
  'FundsReserved',
  'TransferBuilt',
  'TransferSigned',
  'TransferBroadcast',
  'TransferConfirmed',
  'TransferFinalized',
  'FundsReleased',
]

const addressAt = (seed: number) => addressOf(ed25519.getPublicKey(new Uint8Array(32).fill(seed)))
const RECEIVER = addressAt(2)
const MINT = addressAt(3)
const TOKENS = `${CHAIN}/token:${MINT}`

type Side = { bench: ChainBench; cluster: SolanaNode; proxy: FaultProxy }

/** An account with ten coins and a thousand tokens; `nonces`: with so many durable nonces. The node is asked through a proxy. */
async function start(
  t: ExecutionContext,
  { nonces = 0, ...options }: { nonces?: number; policy?: WalletPolicy } = {},
): Promise<Side & { coordinator: ReturnType<ChainBench['coordinate']> }> {
  const cluster = await startSolana()
  const proxy = await startFaultProxy(cluster.url)
  t.teardown(async () => {
    await proxy.close()
    await cluster.close()
  })
  const secret = ed25519.utils.randomSecretKey()
  const sign = (message: Uint8Array) => ({ signature: ed25519.sign(message, secret), recoveryId: null })
  const key: WholeKey = { scheme: 'frost-ed25519', publicKey: ed25519.getPublicKey(secret), sign }
  const address = addressOf(key.publicKey)
  const nonceAccounts = { [address]: Array.from({ length: nonces }, () => cluster.openNonceAccount(address)) }
  cluster.advance(LIFETIME)
  const pay = async (to: string, lamports: bigint) => {
    cluster.pay(to, lamports)
    cluster.advance(CREDITED)
  }
  const rpc = { retries: 0, breaker: { failureRate: 0.99, minimumCalls: 10_000 } }
  const settings = { confirmations: 2, finality: 32, rpc, extra: { nonceAccounts } }
  const bench = await startChainBench(t, { chain: CHAIN, endpoints: [proxy.url], settings, key, pay, receiver: RECEIVER, ...options })
  const coordinator = bench.coordinate()
  await until(async () => (await bench.log.readSnapshot(`deposits-${CHAIN}`)) !== undefined)
  cluster.mint(MINT, 6, cluster.stranger, 1_000_000n)
  cluster.payTokens(MINT, address, 1_000n)
  await bench.fund(10n * SOL)
  await bench.until(({ deposits }) => deposits.pending.length === 0)
  return { bench, cluster, proxy, coordinator }
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it has not come to that')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Until the cluster has been asked three more times what has become of a transaction. */
async function lookedAgain({ proxy }: Side): Promise<void> {
  const looks = () => proxy.requests.filter(({ method }) => method === 'getSignatureStatuses').length
  const before = looks()
  await until(() => looks() >= before + 3)
}

/** Once it is in a block, which is final then. */
async function finalized({ bench, cluster }: Side, transferId: string): Promise<void> {
  await bench.until(({ transfers }) => transfers[transferId] === undefined || transfers[transferId].mined !== null)
  cluster.advance(FINAL)
  await bench.reaches(transferId, 'finalized')
}

const builtOf = async ({ bench }: Side, transferId: string) =>
  (await bench.events()).flatMap(({ type, data }) => {
    const built = data as BuiltTransaction & { transferId: string }
    return type === 'TransferBuilt' && built.transferId === transferId ? [built] : []
  })

const coinsOf = ({ cluster }: Side, address: string) => cluster.svm.getBalance(address as never) ?? 0n
const held = async ({ bench }: Side, asset: string) => positionOf((await bench.wallet()).funds, bench.accountId, asset)

/** Moves the clock of this process, by which coordinators and parties tell the age of a transaction. */
function forward(t: ExecutionContext, byMs: number): void {
  const { now } = Date
  Date.now = () => now() + byMs
  t.teardown(() => {
    Date.now = now
  })
}

test('coins, and tokens to somebody who has no account for them, are moved; what it has cost is what is gone', async (t) => {
  const side = await start(t)
  const { bench } = side
  for (const [asset, amount] of [
    [bench.chain.nativeAsset, SOL],
    [TOKENS, 400n],
  ] as const) {
    const transferId = await bench.request({ asset, amount, memo: 'invoice 7' })
    await finalized(side, transferId)
    t.deepEqual(await bench.typesOf(transferId), STEPS)
    t.is((await bench.node.balance(RECEIVER, asset)).amount, amount)
  }
  t.is((await held(side, TOKENS)).settled, '600')
  await bench.reconciled(t)
  t.deepEqual(side.coordinator.failures, [])
})

test('a transaction that was mined though every answer was lost is found in the chain, and nothing is signed again', async (t) => {
  const side = await start(t)
  const { bench, proxy } = side
  proxy.fault = ({ method }) => (method === 'sendTransaction' ? { kind: 'lose-answer' } : undefined)
  const transferId = await bench.request({ amount: SOL })
  await finalized(side, transferId)
  t.deepEqual(await bench.typesOf(transferId), STEPS)
  t.is(bench.signer.signed.length, 1)
  t.is(coinsOf(side, RECEIVER), SOL)
  await bench.reconciled(t)
})

test('one that never reached the cluster is made anew once a final block is past its last one, and parties take it for dead, too', async (t) => {
  const side = await start(t)
  const { bench, cluster, proxy } = side
  proxy.fault = ({ method }) => (method === 'sendTransaction' ? { kind: 'cut' } : undefined)
  const transferId = await bench.request({ amount: SOL })
  await until(() => proxy.requests.some(({ method }) => method === 'sendTransaction'))
  const first = (await bench.wallet()).transfers[transferId]!.transactions[0]!

  forward(t, DEAD_FOR_PARTIES_MS)
  cluster.advance(LIFETIME + 10)
  await lookedAgain(side)
  t.is((await builtOf(side, transferId)).length, 1, 'the last block that it could be in is not final yet')
  proxy.fault = () => undefined
  cluster.advance(FINAL)
  await finalized(side, transferId)

  t.deepEqual(
    (await builtOf(side, transferId)).map(({ version }) => version),
    [1, 2],
  )
  t.is(bench.signer.signed.length, 2)
  const sent = { ...first, raw: Buffer.from(first.raw!, 'base64'), hash: first.hash!, sender: undefined as never }
  await t.throwsAsync(bench.node.broadcast(sent), { instanceOf: ChainFailure, code: 'transaction_expired' })
  t.is(coinsOf(side, RECEIVER), SOL)
  await bench.reconciled(t)
})

test('one that has expired is not made anew before the parties take it for dead', async (t) => {
  const side = await start(t)
  const { bench, cluster, proxy } = side
  proxy.fault = ({ method }) => (method === 'sendTransaction' ? { kind: 'cut' } : undefined)
  const transferId = await bench.request({ amount: SOL })
  await until(() => proxy.requests.some(({ method }) => method === 'sendTransaction'))
  cluster.advance(LIFETIME + FINAL)
  await lookedAgain(side)
  t.is((await builtOf(side, transferId)).length, 1)
  forward(t, DEAD_FOR_PARTIES_MS)
  proxy.fault = () => undefined
  await finalized(side, transferId)
  t.is(coinsOf(side, RECEIVER), SOL)
})

test('with a durable nonce it outlasts slow signers; while all are in use the others take the hash of a block', async (t) => {
  const side = await start(t, { nonces: 2 })
  const { bench, cluster } = side
  const release = bench.signer.hold()
  const ids: string[] = []
  for (const amount of [SOL, 2n * SOL]) ids.push(await bench.request({ amount }))
  await bench.until(({ transfers }) => ids.every((id) => transfers[id]?.status === 'signing'))
  cluster.advance(10 * LIFETIME)
  const third = await bench.request({ amount: SOL / 2n })
  await bench.reaches(third, 'signing')
  release()
  for (const id of [...ids, third]) await finalized(side, id)
  for (const id of [...ids, third]) t.deepEqual(await bench.typesOf(id), STEPS)
  const conflicts = (await Promise.all([...ids, third].map((id) => builtOf(side, id)))).flat().map(({ conflicts: [conflict] }) => conflict!)
  t.deepEqual(
    conflicts.map((conflict) => conflict.split(':')[0]),
    ['durable-nonce', 'durable-nonce', 'message'],
  )
  t.is(new Set(conflicts).size, 3)
  t.is(coinsOf(side, RECEIVER), 3n * SOL + SOL / 2n)
  // Those are advanced, and free again.
  cluster.advance(LIFETIME)
  const next = await bench.request({ amount: SOL })
  await finalized(side, next)
  const [again] = await builtOf(side, next)
  t.regex(again!.conflicts[0]!, /^durable-nonce:/)
  t.false(conflicts.includes(again!.conflicts[0]!))
  await bench.reconciled(t)
})

test('what has a durable nonce is cancelled by using that up, and can never be mined then', async (t) => {
  const side = await start(t, { nonces: 1 })
  const { bench, cluster, proxy } = side
  proxy.fault = ({ method }) => (method === 'sendTransaction' ? { kind: 'error', code: -32_002, message: 'no' } : undefined)
  const transferId = await bench.request({ amount: SOL })
  await bench.reaches(transferId, 'stuck')
  await bench.replace(transferId, 'cancel')
  await bench.until(({ transfers }) => transfers[transferId]!.transactions.at(1)?.raw != null)
  const [first] = (await bench.wallet()).transfers[transferId]!.transactions
  proxy.fault = () => undefined
  await bench.until(({ transfers }) => transfers[transferId]?.mined?.version === 2)
  cluster.advance(FINAL)
  await bench.reaches(transferId, 'cancelled')
  const sent = { ...first!, raw: Buffer.from(first!.raw!, 'base64'), hash: first!.hash!, sender: undefined as never }
  await t.throwsAsync(bench.node.broadcast(sent), { instanceOf: ChainFailure, code: 'transaction_expired' })
  t.is(coinsOf(side, RECEIVER), 0n)
  await bench.reconciled(t)
})

test('what cannot be made any more when its turn comes ends with a code, and gives back what was reserved', async (t) => {
  const side = await start(t)
  const { bench, cluster, coordinator } = side
  await coordinator.crash()
  const [poor, taken] = [addressAt(4), addressAt(5)]
  cluster.airdrop(poor, SOL)
  const [dust, program, closed] = [
    await bench.request({ to: poor, amount: 1n }),
    await bench.request({ to: taken, amount: SOL }),
    await bench.request({ asset: TOKENS, amount: 1_000n }),
  ]
  const before = availableOf(await held(side, bench.chain.nativeAsset))
  cluster.setAccount(poor, SYSTEM, new Uint8Array(), 0n)
  cluster.setAccount(taken, TOKEN, new Uint8Array(165))
  cluster.setAccount(tokenAccountOf(bench.address, MINT), SYSTEM, new Uint8Array(), 0n)
  bench.coordinate()
  for (const [id, code] of [
    [dust, 'dust'],
    [program, 'address_kind_not_supported'],
    [closed, 'account_closed'],
  ] as const) {
    await bench.reaches(id, 'failed')
    const failed = (await bench.events()).find(
      ({ type, data }) => type === 'TransferFailed' && (data as { transferId: string }).transferId === id,
    )
    t.is((failed?.data as { code?: string } | undefined)?.code, code)
  }
  t.is(bench.signer.signed.length, 0)
  t.true(availableOf(await held(side, bench.chain.nativeAsset)) > before)
  t.is(availableOf(await held(side, bench.chain.nativeAsset)), 10n * SOL)
  t.is(availableOf(await held(side, TOKENS)), 1_000n)
  await t.throwsAsync(bench.request({ asset: TOKENS, amount: 1n }), { instanceOf: ChainFailure, code: 'account_closed' })
})

test('a hundred transfers at once from one account: all mined, none twice', async (t) => {
  const side = await start(t)
  const { bench, cluster } = side
  const MANY = 100
  cluster.airdrop(RECEIVER, SOL)
  cluster.advance(LIFETIME)
  const ids: string[] = []
  for (let i = 1; i <= MANY; i++) ids.push(await bench.request({ amount: BigInt(i) }))
  await bench.until(({ transfers }) => ids.every((id) => transfers[id] === undefined || transfers[id].mined !== null))
  cluster.advance(FINAL)
  await bench.until(({ transfers }) => Object.keys(transfers).length === 0)
  for (const id of ids) t.deepEqual(await bench.typesOf(id), STEPS)
  t.is(bench.signer.signed.length, MANY)
  t.is(coinsOf(side, RECEIVER), SOL + BigInt((MANY * (MANY + 1)) / 2))
  await bench.reconciled(t)
})
