import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { openChains } from '../chains/registry.ts'
import { InvalidSetting } from '../process/settings.ts'
import defaultPrices from './default-prices.json' with { type: 'json' }
import { openPrices } from './static-table.ts'

const ETHER = 'eip155:1/slip44:60'

async function written(t: ExecutionContext, content: unknown): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-prices-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const file = join(folder, 'prices.json')
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

test('the value of an amount is in cents, rounded up', async (t) => {
  const file = await written(t, {
    asOf: '2026-01-01',
    prices: { [ETHER]: { usd: '2500.125', decimals: 18 }, 'solana:localnet/slip44:501': { usd: '0', decimals: 9 } },
  })
  const prices = await openPrices(file)
  t.is(prices.asOf, '2026-01-01')
  t.is(prices.usdCents(ETHER, 10n ** 18n), 250_013n)
  t.is(prices.usdCents(ETHER, 2n * 10n ** 18n), 500_025n)
  t.is(prices.usdCents(ETHER, 1n), 1n)
  t.is(prices.usdCents(ETHER, 0n), 0n)
  t.is(prices.usdCents(ETHER, 10n ** 60n), 250_012_500_000n * 10n ** 36n)
  t.is(prices.usdCents('solana:localnet/slip44:501', 5n), 0n)
})

test('nothing is known of an asset that is not in the table', async (t) => {
  const prices = await openPrices(undefined)
  for (const asset of ['eip155:1/erc20:0x0000000000000000000000000000000000000001', 'toString', '', ETHER.toUpperCase()])
    t.is(prices.usdCents(asset, 1n), undefined)
})

test('the default table names the native coin of each chain there is, and every asset in its one spelling', async (t) => {
  const prices = await openPrices(undefined)
  const chains = await openChains(undefined)
  for (const { nativeAsset } of chains.values()) t.true(prices.usdCents(nativeAsset, 10n ** 20n)! > 0n, nativeAsset)
  for (const asset of Object.keys(defaultPrices.prices)) t.is(chains.get(asset.split('/')[0]!)!.readAsset(asset, '').id, asset)
  t.is(prices.usdCents('eip155:1/erc20:0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48', 1_000_000n), 100n)
})

for (const [what, content, message] of [
  ['no JSON', '{', /not JSON/],
  ['no date', { asOf: 'today', prices: {} }, /asOf/],
  ['something more', { asOf: '2026-01-01', prices: {}, more: 1 }, /may be there/],
  ['a list of prices', { asOf: '2026-01-01', prices: [] }, /must be an object/],
  ['a price of no asset', { asOf: '2026-01-01', prices: { ether: { usd: '1', decimals: 1 } } }, /ether is no CAIP-19/],
  ['a number for a price', { asOf: '2026-01-01', prices: { [ETHER]: { usd: 1, decimals: 1 } } }, /usd must be/],
  ['a negative price', { asOf: '2026-01-01', prices: { [ETHER]: { usd: '-1', decimals: 1 } } }, /usd must be/],
  ['too many decimals', { asOf: '2026-01-01', prices: { [ETHER]: { usd: '1', decimals: 37 } } }, /decimals must be/],
  ['an asset twice', `{"asOf":"2026-01-01","prices":{"${ETHER}":{"usd":"1","decimals":1},"${ETHER}":{"usd":"2","decimals":1}}}`, /twice/],
] as const) {
  test(`a file with ${what} is refused`, async (t) => {
    await t.throwsAsync(async () => openPrices(await written(t, content)), { instanceOf: InvalidSetting, message })
  })
}

test('a file that is not there is refused', async (t) => {
  await t.throwsAsync(openPrices('/nowhere/prices.json'), { instanceOf: InvalidSetting, message: /ENOENT/ })
})
