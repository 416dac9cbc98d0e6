import test from 'ava'
import type { BuiltTransaction } from '../../domain/wallet/transfers/events.ts'
import { startBitcoinNode } from '../chains/bitcoin-node.ts'
import { startBitcoinBench } from './bitcoin-bench.ts'

const MANY = 50
const COINS = 40

test('fifty transfers at once from one account of many coins: no coin is spent twice, all are mined, in the amounts that were asked for', async (t) => {
  const bitcoind = await startBitcoinNode()
  t.teardown(() => bitcoind.stop())
  const bench = await startBitcoinBench(t, bitcoind)
  bench.coordinate()
  bench.coordinate()
  await bitcoind.mine(COINS)
  await bench.coins(...Array.from({ length: COINS }, (_, n) => 20_000 + n))
  const ids: string[] = []
  for (let n = 0; n < MANY; n++) ids.push(await bench.request({ amount: BigInt(5_000 + n) }))
  const mining = setInterval(() => void bitcoind.mine(1), 1_000)
  t.teardown(() => clearInterval(mining))
  await bench.until(({ transfers }) => Object.keys(transfers).length === 0)
  clearInterval(mining)
  for (const id of ids) t.is(await bench.status(id), 'finalized')
  const built = (await bench.events()).flatMap(({ type, data }) => (type === 'TransferBuilt' ? [data as BuiltTransaction] : []))
  t.is(built.length, MANY)
  const spent = built.flatMap(({ conflicts }) => conflicts)
  t.is(new Set(spent).size, spent.length)
  t.is(bench.signer.signed.length, spent.length)
  t.is(await bench.received(), BigInt(MANY * 5_000 + (MANY * (MANY - 1)) / 2))
  await bench.reconciled(t)
})
