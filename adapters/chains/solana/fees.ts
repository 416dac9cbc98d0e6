import type { Step } from './instructions.ts'

/** Lamports for a signature; there is one. */
export const SIGNATURE_FEE = 5_000n
/** Lamports that an account of 165 bytes must hold (two years of rent, which is the same on all clusters). */
export const TOKEN_ACCOUNT_RENT = 2_039_280n
/** Most compute units that a transaction may use. */
const MAX_UNITS = 1_400_000
/** Of an instruction, when no limit is set. */
const UNITS_BY_DEFAULT = 200_000
const PRICE_UNIT = 1_000_000n

/** The most that these steps can cost, in lamports, beside what they transfer. */
export function feeOf(steps: readonly Step[]): bigint {
  const limit = steps.find((step) => step.kind === 'unitLimit')?.units ?? UNITS_BY_DEFAULT * steps.length
  const price = steps.find((step) => step.kind === 'unitPrice')?.price ?? 0n
  const opened = steps.filter(({ kind }) => kind === 'openTokenAccount').length
  return SIGNATURE_FEE + priority(price, Math.min(limit, MAX_UNITS)) + TOKEN_ACCOUNT_RENT * BigInt(opened)
}

/** The highest price of a unit at which these steps, with none set yet, cost no more than this; undefined when they cost more without any. */
export function highestPrice(steps: readonly Step[], units: number, most: bigint): bigint | undefined {
  const left = most - feeOf(steps)
  return left < 0n ? undefined : (left * PRICE_UNIT) / BigInt(units)
}

const priority = (price: bigint, units: number) => (price * BigInt(units) + PRICE_UNIT - 1n) / PRICE_UNIT
