import anyTest, { type ExecutionContext } from 'ava'
import { SYSTEM, TOKEN, tokenAccountOf } from '../../adapters/chains/solana/programs.ts'
import { ChainFailure } from '../../domain/ports/chain-node.ts'
import type { BuiltTransaction } from '../../domain/wallet/transfers/events.ts'
import { availableOf, positionOf } from '../../domain/wallet/transfers/funds.ts'
import {
  addressAt,
  coinsOf,
  FINAL,
  finalized,
  LIFETIME,
  MINT,
  RECEIVER,
  type Side,
  SOL,
  startSolanaBench as start,
  TOKENS,
  until,
} from './solana-bench.ts'

/** One after another: each has a cluster and a log of its own. */
const test = anyTest.serial

/** Longer than parties take a transaction to live. */
const DEAD_FOR_PARTIES_MS = 300_000

/** Whether anything is left to be given back is a matter of chance, as the limit of units is. */
const STEPS = [
  'TransferRequested',
  'FundsReserved',
  'TransferBuilt',
  'TransferSigned',
  'TransferBroadcast',
  'TransferConfirmed',
  'TransferFinalized',
]

/** Until the cluster has been asked three more times what has become of a transaction. */
async function lookedAgain({ proxy }: Side): Promise<void> {
  const looks = () => proxy.requests.filter(({ method }) => method === 'getSignatureStatuses').length
  const before = looks()
  await until(() => looks() >= before + 3)
}

const stepsOf = async ({ bench }: Side, transferId: string) => (await bench.typesOf(transferId)).filter((type) => type !== 'FundsReleased')

const builtOf = async ({ bench }: Side, transferId: string) =>
  (await bench.events()).flatMap(({ type, data }) => {
    const built = data as BuiltTransaction & { transferId: string }
    return type === 'TransferBuilt' && built.transferId === transferId ? [built] : []
  })

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
    const transferId = await bench.request({ asset, amount, publicMemo: 'invoice 7' })
    await finalized(side, transferId)
    t.deepEqual(await stepsOf(side, transferId), STEPS)
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
  t.deepEqual(await stepsOf(side, transferId), STEPS)
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
  for (const id of [...ids, third]) t.deepEqual(await stepsOf(side, id), STEPS)
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
  let refused: unknown
  proxy.fault = ({ method, params }) => {
    if (method !== 'sendTransaction') return undefined
    refused ??= params[0]
    return params[0] === refused ? { kind: 'error', code: -32_002, message: 'no' } : undefined
  }
  const transferId = await bench.request({ amount: SOL })
  await bench.reaches(transferId, 'stuck')
  await bench.replace(transferId, 'cancel')
  await bench.until(({ transfers }) => transfers[transferId]!.transactions.at(1)?.raw != null)
  const [first] = (await bench.wallet()).transfers[transferId]!.transactions
  await bench.until(({ transfers }) => transfers[transferId]?.mined?.version === 2)
  cluster.advance(FINAL)
  await bench.reaches(transferId, 'cancelled')
  proxy.fault = () => undefined
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
