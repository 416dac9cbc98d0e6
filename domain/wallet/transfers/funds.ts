import { DomainError } from '../../domain-error.ts'
import type { Funds } from './events.ts'

/**
 * What an account has of an asset, in decimal strings of base units. `settled` is what is there, what is reserved included; after a deposit was undone by a
 * reorganisation it may be less than what is reserved, even negative: then the account owes, and nothing is available.
 */
export type Position = { settled: string; reserved: string; pending: string }

/** By account and asset; whatever is nothing but zeros is left out. */
export type Positions = { readonly [accountId: string]: { readonly [asset: string]: Position } }

const NOTHING: Position = { settled: '0', reserved: '0', pending: '0' }

export const positionOf = (positions: Positions, accountId: string, asset: string): Position => positions[accountId]?.[asset] ?? NOTHING

/** What can be reserved. Never negative. */
export function availableOf({ settled, reserved }: Position): bigint {
  const available = BigInt(settled) - BigInt(reserved)
  return available > 0n ? available : 0n
}

/** @throws DomainError `insufficient_funds` unless all of it is available; `pointers` are where each of them stands in the request */
export function requireAvailable(positions: Positions, accountId: string, wanted: readonly Funds[], pointers: readonly string[]): void {
  for (const [index, { asset, amount }] of wanted.entries()) {
    const available = availableOf(positionOf(positions, accountId, asset))
    if (BigInt(amount) > available)
      throw new DomainError('insufficient_funds', `${amount} of ${asset} is needed, and ${available} is available`, pointers[index])
  }
}

export const reserve = (positions: Positions, accountId: string, funds: readonly Funds[]): Positions =>
  changed(positions, accountId, funds, (position, amount) => ({ ...position, reserved: plus(position.reserved, amount) }))

export const release = (positions: Positions, accountId: string, funds: readonly Funds[]): Positions =>
  changed(positions, accountId, funds, (position, amount) => ({ ...position, reserved: minusAtMost(position.reserved, amount) }))

/** Leaves the account: out of what is reserved, as far as that goes. */
export const spend = (positions: Positions, accountId: string, funds: readonly Funds[]): Positions =>
  changed(positions, accountId, funds, (position, amount) => ({
    ...position,
    settled: plus(position.settled, -amount),
    reserved: minusAtMost(position.reserved, amount),
  }))

export const announce = (positions: Positions, accountId: string, funds: Funds): Positions =>
  changed(positions, accountId, [funds], (position, amount) => ({ ...position, pending: plus(position.pending, amount) }))

export const credit = (positions: Positions, accountId: string, funds: Funds): Positions =>
  changed(positions, accountId, [funds], (position, amount) => ({
    ...position,
    settled: plus(position.settled, amount),
    pending: plus(position.pending, -amount),
  }))

/** Undone, out of what was pending or had been credited. */
export const revoke = (positions: Positions, accountId: string, funds: Funds, was: 'pending' | 'credited'): Positions =>
  changed(positions, accountId, [funds], (position, amount) =>
    was === 'pending'
      ? { ...position, pending: plus(position.pending, -amount) }
      : { ...position, settled: plus(position.settled, -amount) },
  )

/** Amounts of the same asset put together, in the order of the assets; without those that are zero. */
export function together(funds: readonly Funds[]): Funds[] {
  const sums = new Map<string, bigint>()
  for (const { asset, amount } of funds) sums.set(asset, (sums.get(asset) ?? 0n) + BigInt(amount))
  return [...sums].filter(([, amount]) => amount !== 0n).map(([asset, amount]) => ({ asset, amount: String(amount) }))
}

/** What is left of some funds once others are taken from them. */
export function without(funds: readonly Funds[], taken: readonly Funds[]): Funds[] {
  const takenOf = (asset: string) => BigInt(taken.find((each) => each.asset === asset)?.amount ?? 0)
  return funds.map(({ asset, amount }) => ({ asset, amount: minusAtMost(amount, takenOf(asset)) })).filter(({ amount }) => amount !== '0')
}

function changed(
  positions: Positions,
  accountId: string,
  funds: readonly Funds[],
  change: (position: Position, amount: bigint) => Position,
): Positions {
  const account = { ...positions[accountId] }
  for (const { asset, amount } of funds) {
    const position = change(account[asset] ?? NOTHING, BigInt(amount))
    if (isNothing(position)) delete account[asset]
    else account[asset] = position
  }
  const { [accountId]: _, ...others } = positions
  return Object.keys(account).length === 0 ? others : { ...positions, [accountId]: account }
}

const isNothing = ({ settled, reserved, pending }: Position) => settled === '0' && reserved === '0' && pending === '0'
const plus = (number: string, amount: bigint): string => String(BigInt(number) + amount)
const minusAtMost = (number: string, amount: bigint): string => (BigInt(number) > amount ? String(BigInt(number) - amount) : '0')
