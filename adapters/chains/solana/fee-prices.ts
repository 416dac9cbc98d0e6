import type { FeeLevel } from '../../../domain/ports/chain-node.ts'

/** Percentile of what has been paid of late, and the least that is offered, in millionths of a lamport for each compute unit. */
const LEVELS: { readonly [level in FeeLevel]: { readonly percentile: number; readonly least: bigint } } = {
  low: { percentile: 25, least: 0n },
  normal: { percentile: 50, least: 1_000n },
  high: { percentile: 90, least: 10_000n },
}

/** What to offer for a compute unit at this level. */
export function priceAt(level: FeeLevel, recent: readonly bigint[]): bigint {
  const { percentile, least } = LEVELS[level]
  const sorted = [...recent].sort((one, other) => (one < other ? -1 : one > other ? 1 : 0))
  const paid = sorted[Math.floor((sorted.length * percentile) / 100)] ?? 0n
  return paid > least ? paid : least
}

/** What to offer at least for a unit in place of a transaction that offered so much. */
export const priceAbove = (price: bigint): bigint => (price * 3n) / 2n + 1_000n
