import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import anyTest from 'ava'
import { type Bench, ETHER, STRANGER, startBench } from './bench.ts'
import { coinsOf, FINAL, LIFETIME, RECEIVER, SOL, startSolanaBench } from './solana-bench.ts'

/** One after another: each has a node and a log of its own. */
const test = anyTest.serial

const MANY = 200
const ON_SOLANA = 100

const noncesOf = async (bench: Bench) =>
  (await bench.events()).flatMap(({ type, data }) => (type === 'NonceAllocated' ? [Number((data as { nonce: string }).nonce)] : []))

const paid = async ({ node, chain }: Bench) => (await node.balance(STRANGER, chain.nativeAsset)).amount

async function requestMany(bench: Bench): Promise<string[]> {
  const ids: string[] = []
  for (let i = 0; i < MANY; i++) ids.push(await bench.request({ amount: BigInt(i + 1) }))
  return ids
}

const everyNonce = Array.from({ length: MANY }, (_, index) => index)
const everything = BigInt((MANY * (MANY + 1)) / 2)

test('two hundred transfers at once from one account: nonces without a gap, none twice, all mined', async (t) => {
  const bench = await startBench(t)
  bench.coordinate()
  bench.coordinate()
  await bench.fund(ETHER)
  const ids = await requestMany(bench)
  await bench.until(({ transfers }) => Object.keys(transfers).length === 0)
  for (const id of ids) t.is(await bench.status(id), 'finalized')
  t.deepEqual(await noncesOf(bench), everyNonce)
  t.is(bench.signer.signed.length, MANY)
  t.is(await bench.node.nextNonce(bench.address), BigInt(MANY))
  t.is(await paid(bench), everything)
  await bench.reconciled(t)
})

test('the node is killed and comes back with an earlier chain, twice, in the middle of two hundred: nothing is lost and nothing paid twice', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-anvil-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const args = ['--block-time', '1', '--state', join(folder, 'state.json'), '--state-interval', '2', '--preserve-historical-states']
  const bench = await startBench(t, { anvil: { args }, settings: { confirmations: 1, finality: 12 } })
  bench.coordinate()
  await bench.fund(ETHER)
  await bench.until(({ deposits }) => Object.keys(deposits.pending).length === 0)
  // The deposit is deep enough to stay.
  await bench.anvil.mine(20)
  await new Promise((resolve) => setTimeout(resolve, 4_000))
  const ids = await requestMany(bench)
  const mined = (wallet: Awaited<ReturnType<Bench['wallet']>>) =>
    ids.filter((id) => wallet.transfers[id] === undefined || wallet.transfers[id]?.mined).length
  for (const some of [MANY / 4, MANY / 2]) {
    await bench.until((wallet) => mined(wallet) >= some)
    await bench.restartAnvil({ args })
  }
  await bench.until(({ transfers }) => Object.keys(transfers).length === 0)
  for (const id of ids) t.is(await bench.status(id), 'finalized')
  t.deepEqual(await noncesOf(bench), everyNonce)
  t.is(bench.signer.signed.length, MANY)
  t.is(await paid(bench), everything)
  await bench.reconciled(t)
})

test('a hundred transfers at once from one account on Solana: all mined, none twice', async (t) => {
  const side = await startSolanaBench(t)
  const { bench, cluster } = side
  cluster.airdrop(RECEIVER, SOL)
  cluster.advance(LIFETIME)
  const ids: string[] = []
  for (let i = 1; i <= ON_SOLANA; i++) ids.push(await bench.request({ amount: BigInt(i) }))
  await bench.until(({ transfers }) => ids.every((id) => transfers[id] === undefined || transfers[id].mined !== null))
  cluster.advance(FINAL)
  await bench.until(({ transfers }) => Object.keys(transfers).length === 0)
  for (const id of ids) t.is(await bench.status(id), 'finalized')
  t.is(bench.signer.signed.length, ON_SOLANA)
  t.is(coinsOf(side, RECEIVER), SOL + BigInt((ON_SOLANA * (ON_SOLANA + 1)) / 2))
  await bench.reconciled(t)
})
