import { readFile } from 'node:fs/promises'
import { MalformedJson, parseStrictJson, readFields } from '../../domain/json/strict-json.ts'
import type { Prices } from '../../domain/ports/prices.ts'
import { InvalidSetting } from '../process/settings.ts'
import defaultPrices from './default-prices.json' with { type: 'json' }

/** Prices that stay as they are: those of a day, `asOf`. */
export type PriceTable = Prices & { readonly asOf: string }

const MAX_ASSETS = 10_000
const MAX_DECIMALS = 36
const ASSET = /^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}\/[-a-z0-9]{3,8}:[-.%a-zA-Z0-9]{1,128}$/
const USD = /^(0|[1-9]\d{0,11})(\.\d{1,12})?$/
const DAY = /^\d{4}-\d{2}-\d{2}$/

/** What one unit of an asset (10^decimals base units) costs, as a fraction of cents. */
type Price = { numerator: bigint; denominator: bigint }

/**
 * The table in a file, or the one that comes with this: native coins, those of test networks like their originals, and the main stablecoins, rounded. It is
 * meant for tiers and limits of a coarse kind; who needs today's prices keeps a file.
 * @param file `{"asOf": "2025-01-01", "prices": {<CAIP-19>: {"usd": "3330.5", "decimals": 18}}}`
 * @throws InvalidSetting
 */
export async function openPrices(file: string | undefined): Promise<PriceTable> {
  return file === undefined ? tableOf(defaultPrices, 'the default prices') : tableOf(await read(file), 'QUORATE_PRICES')
}

async function read(file: string): Promise<unknown> {
  try {
    return parseStrictJson(await readFile(file, 'utf8'))
  } catch (error) {
    const reason = error instanceof MalformedJson ? error.message : (error as NodeJS.ErrnoException).code
    throw new InvalidSetting(`QUORATE_PRICES: ${file} cannot be read: ${reason}`)
  }
}

function tableOf(value: unknown, name: string): PriceTable {
  const { asOf, prices } = fieldsOf(value, ['asOf', 'prices'], name)
  if (typeof asOf !== 'string' || !DAY.test(asOf)) throw new InvalidSetting(`${name}: asOf must be a day such as 2025-01-01`)
  const entries = typeof prices === 'object' && prices !== null && !Array.isArray(prices) ? Object.entries(prices) : undefined
  if (!entries || entries.length > MAX_ASSETS)
    throw new InvalidSetting(`${name}: prices must be an object with at most ${MAX_ASSETS} assets`)
  const table = new Map(entries.map(([asset, price]) => [asset, priceOf(asset, price, `${name}: ${asset.slice(0, 200)}`)]))
  return {
    asOf,
    usdCents(asset, amount) {
      const price = table.get(asset)
      return price && (amount * price.numerator + price.denominator - 1n) / price.denominator
    },
  }
}

function priceOf(asset: string, value: unknown, name: string): Price {
  if (!ASSET.test(asset)) throw new InvalidSetting(`${name} is no CAIP-19 asset`)
  const { usd, decimals } = fieldsOf(value, ['usd', 'decimals'], name)
  if (typeof usd !== 'string' || !USD.test(usd)) throw new InvalidSetting(`${name}: usd must be a decimal string with at most 12 decimals`)
  if (!Number.isInteger(decimals) || (decimals as number) < 0 || (decimals as number) > MAX_DECIMALS)
    throw new InvalidSetting(`${name}: decimals must be a whole number from 0 to ${MAX_DECIMALS}`)
  const [dollars = '', fraction = ''] = usd.split('.')
  return { numerator: BigInt(dollars + fraction) * 100n, denominator: 10n ** BigInt(fraction.length + (decimals as number)) }
}

function fieldsOf(value: unknown, required: readonly string[], name: string) {
  try {
    return readFields(value, required)
  } catch (error) {
    if (!(error instanceof MalformedJson)) throw error
    throw new InvalidSetting(`${name}: ${error.message}`)
  }
}
