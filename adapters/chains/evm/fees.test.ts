import test from 'ava'
import fc from 'fast-check'
import { ChainFailure } from '../../../domain/ports/chain-node.ts'
import type { Call } from '../rpc/endpoint.ts'
import { toQuantity } from './answers.ts'
import { affordable, marketAt, outbid } from './fees.ts'
import { gasPriceOf } from './transaction-fields.ts'

const GWEI = 10n ** 9n
const HASH = `0x${'11'.repeat(32)}`

/** A node whose next block has this base fee, and whose last blocks had these priority fees at the percentile asked for; null for an empty block. */
const market =
  (baseFee: bigint, tips: readonly (bigint | null)[], percentiles: number[] = []): Call =>
  async (method, params = []) => {
    if (method === 'eth_getBlockByNumber') return { number: '0x5', hash: HASH, parentHash: HASH, baseFeePerGas: '0x1', transactions: [] }
    percentiles.push(...(params[2] as number[]))
    return {
      oldestBlock: '0x1',
      baseFeePerGas: [...tips.map(() => '0x1'), toQuantity(baseFee)],
      gasUsedRatio: tips.map((tip) => (tip === null ? 0 : 0.5)),
      reward: tips.map((tip) => [toQuantity(tip ?? 0n)]),
    }
  }

for (const [level, percentile, maxFee] of [
  ['low', 10, 1_250n],
  ['normal', 50, 2_000n],
  ['high', 90, 3_000n],
] as const) {
  test(`the level ${level} takes its priority fee from blocks that had any, and leaves room for the base fee`, async (t) => {
    const percentiles: number[] = []
    const found = await marketAt(market(1_000n, [5n, null, 7n, null, 900n], percentiles), level, 0n)
    t.deepEqual(found, { fees: { kind: 'dynamic', tip: 7n, maxFee: maxFee + 7n }, least: 1_007n })
    t.deepEqual(percentiles, [percentile])
  })
}

test('a chain that wants a priority fee gets it, also when nobody paid one', async (t) => {
  t.deepEqual(await marketAt(market(100n, []), 'normal', 30n * GWEI), {
    fees: { kind: 'dynamic', tip: 30n * GWEI, maxFee: 200n + 30n * GWEI },
    least: 100n + 30n * GWEI,
  })
})

const price = fc.bigInt(0n, 10n ** 13n)
const dynamic = fc.tuple(price, price).map(([tip, room]) => ({ kind: 'dynamic' as const, tip, maxFee: tip + room }))
const fees = fc.oneof(
  dynamic,
  price.map((gasPrice) => ({ kind: 'legacy' as const, gasPrice })),
)
const markets = dynamic.chain((of) => fc.bigInt(of.tip, of.maxFee).map((least) => ({ fees: of, least })))

test('whatever the market, what takes the place of another is an eighth above it in everything', (t) => {
  fc.assert(
    fc.property(fees, markets, (before, now) => {
      const { fees: after, least } = outbid(before, now)
      t.is(after.kind, before.kind)
      t.true(8n * gasPriceOf(after) > 9n * gasPriceOf(before) - 8n && gasPriceOf(after) > gasPriceOf(before))
      t.true(gasPriceOf(after) >= gasPriceOf(now.fees))
      t.true(gasPriceOf(after) >= least)
      if (after.kind === 'dynamic' && before.kind === 'dynamic') {
        t.true(8n * after.tip > 9n * before.tip - 8n && after.tip > before.tip)
        t.true(after.tip <= after.maxFee)
      }
      // Also when there is no more to spend than that.
      const gas = 21_000n
      const tight = affordable(least * gas, gas, { fees: after, least })
      t.true(gasPriceOf(tight) >= gasPriceOf(before) + gasPriceOf(before) / 8n)
    }),
  )
})

test('no more is spent than may be, and nothing that would not be mined is made', (t) => {
  fc.assert(
    fc.property(markets, fc.bigInt(0n, 10n ** 20n), fc.bigInt(21_000n, 500_000n), (now, most, gas) => {
      if (now.least * gas > most) {
        t.throws(() => affordable(most, gas, now), { instanceOf: ChainFailure, message: /is needed/ })
        return
      }
      const spent = affordable(most, gas, now)
      t.true(gasPriceOf(spent) * gas <= most)
      t.true(gasPriceOf(spent) >= now.least)
    }),
  )
})
