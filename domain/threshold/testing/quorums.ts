import type { PartyIndex } from '../protocol.ts'

/** Every set of so many of these participants, each in the order given. */
export function subsets(of: readonly PartyIndex[], size: number): PartyIndex[][] {
  if (size === 0) return [[]]
  return of.flatMap((first, i) => subsets(of.slice(i + 1), size - 1).map((rest) => [first, ...rest]))
}
