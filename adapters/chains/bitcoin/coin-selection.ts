import type { Scheme } from '../../../domain/threshold/scheme.ts'
import type { Payment } from './psbt.ts'
import { MAX_INPUTS } from './transactions.ts'
import { dustLimit, virtualBytes } from './weight.ts'

export type Selection<C> = {
  readonly coins: readonly C[]
  /** What comes back to the sender; 0 when it would be too little to be worth an output, which is then part of the fee. */
  readonly change: bigint
  readonly fee: bigint
}

export type Need = {
  readonly scheme: Scheme
  readonly outputs: readonly Payment[]
  /** The sender's own, which change goes to. */
  readonly script: Uint8Array
  /** What a transaction of so many virtual bytes has to pay. */
  feeOf(virtualBytes: bigint): bigint
}

/**
 * Coins that pay for what is needed: those that must be spent, and as few others as can be, since each input is a ceremony. Of the last one the smallest
 * that will do is taken, so that large ones are not broken for small payments. Undefined when all together are too little.
 * @throws TooManyInputs
 */
export function selectCoins<C extends { readonly amount: bigint }>(
  need: Need,
  must: readonly C[],
  others: readonly C[],
): Selection<C> | undefined {
  const descending = [...others].sort((a, b) => (a.amount < b.amount ? 1 : a.amount > b.amount ? -1 : 0))
  for (let count = 0; count <= descending.length; count++) {
    if (must.length + count > MAX_INPUTS) throw new TooManyInputs()
    const largest = [...must, ...descending.slice(0, count)]
    if (!settled(need, largest)) continue
    const smallest = descending.findLast((coin, place) => place >= count - 1 && count > 0 && settled(need, [...largest.slice(0, -1), coin]))
    return settled(need, smallest ? [...largest.slice(0, -1), smallest] : largest)
  }
  return undefined
}

/** What is left of these coins, if they are enough. */
function settled<C extends { readonly amount: bigint }>(
  { scheme, outputs, script, feeOf }: Need,
  coins: readonly C[],
): Selection<C> | undefined {
  if (coins.length === 0) return undefined
  const spent = sum(coins)
  const paid = sum(outputs)
  const withChange = spent - paid - feeOf(virtualBytes(scheme, coins.length, [...outputs, { script }]))
  if (withChange >= dustLimit({ script })) return { coins, change: withChange, fee: spent - paid - withChange }
  const fee = spent - paid
  return outputs.length > 0 && fee >= feeOf(virtualBytes(scheme, coins.length, outputs)) ? { coins, change: 0n, fee } : undefined
}

const sum = (parts: readonly { readonly amount: bigint }[]) => parts.reduce((total, { amount }) => total + amount, 0n)

/** There is enough, in coins too many for one transaction. */
export class TooManyInputs extends Error {
  override readonly name = 'TooManyInputs'
}
