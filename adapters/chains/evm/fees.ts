import { ChainFailure, type FeeLevel } from '../../../domain/ports/chain-node.ts'
import type { Call } from '../rpc/endpoint.ts'
import { EndpointFailure } from '../rpc/failures.ts'
import { readBlock, readList, readObject, readQuantity, toQuantity } from './answers.ts'
import { type Fees, gasPriceOf } from './transaction-fields.ts'

/**
 * Of the last blocks' priority fees the one that so many per cent were below, the median of those; and room for the base fee to rise to so many
 * hundredths of the next block's. It rises by an eighth a block at most: 1.25 lasts for one full block, 2 for five, 3 for nine.
 */
const DYNAMIC: { readonly [level in FeeLevel]: { readonly percentile: number; readonly room: bigint } } = {
  low: { percentile: 10, room: 125n },
  normal: { percentile: 50, room: 200n },
  high: { percentile: 90, room: 300n },
}
/** Hundredths of the price that the node names, on chains from before EIP-1559. */
const LEGACY: { readonly [level in FeeLevel]: bigint } = { low: 100n, normal: 120n, high: 150n }
const BLOCKS = 20

/** `least` is what a unit of gas costs in the next block as far as can be told: less would not be mined. */
export type Market = { readonly fees: Fees; readonly least: bigint }

export async function marketAt(call: Call, level: FeeLevel, minimumTip: bigint): Promise<Market> {
  const head = readBlock(await call('eth_getBlockByNumber', ['latest', false]))
  if (head === null) throw new EndpointFailure('unable', false)
  if (head.baseFee === null) {
    const price = readQuantity(await call('eth_gasPrice'))
    return { fees: { kind: 'legacy', gasPrice: (price * LEGACY[level]) / 100n }, least: price }
  }
  const { percentile, room } = DYNAMIC[level]
  const {
    baseFeePerGas,
    gasUsedRatio,
    reward = [],
  } = readObject(await call('eth_feeHistory', [toQuantity(BLOCKS), 'latest', [percentile]]))
  const baseFee = readQuantity(readList(baseFeePerGas).at(-1))
  const used = readList(gasUsedRatio)
  // An empty block has no priority fees: zeros stand in their place.
  const tips = readList(reward).flatMap((row, index) => (Number(used[index]) > 0 ? [readQuantity(readList(row)[0])] : []))
  const tip = larger(median(tips), minimumTip)
  return { fees: { kind: 'dynamic', tip, maxFee: (baseFee * room) / 100n + tip }, least: baseFee + tip }
}

/**
 * Fees that nodes take in place of others: they want a tenth more, of both, and have an eighth and a wei.
 * @returns fees of the kind of those before, as `least` the smallest that will do
 */
export function outbid(before: Fees, { fees, least }: Market): Market {
  if (before.kind === 'legacy') {
    const enough = raised(before.gasPrice)
    return { fees: { kind: 'legacy', gasPrice: larger(enough, gasPriceOf(fees)) }, least: larger(enough, least) }
  }
  const tip = larger(raised(before.tip), fees.kind === 'dynamic' ? fees.tip : 0n)
  const enough = larger(raised(before.maxFee), tip)
  return { fees: { kind: 'dynamic', tip, maxFee: larger(enough, gasPriceOf(fees)) }, least: larger(enough, least) }
}

/**
 * The fees, with less room where all the gas would cost more than `most` wei.
 * @throws ChainFailure `fee_too_high` when that is less than what is needed
 */
export function affordable(most: bigint, gas: bigint, { fees, least }: Market): Fees {
  const limit = most / gas
  if (gasPriceOf(fees) <= limit) return fees
  if (limit < least)
    throw new ChainFailure('fee_too_high', `a fee of ${least * gas} is needed at least, and ${most} the most that is allowed`, true)
  return fees.kind === 'dynamic' ? { ...fees, maxFee: limit } : { kind: 'legacy', gasPrice: limit }
}

const raised = (price: bigint): bigint => price + price / 8n + 1n

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b)

const median = (values: readonly bigint[]): bigint => [...values].sort((a, b) => (a < b ? -1 : 1))[values.length >> 1] ?? 0n
