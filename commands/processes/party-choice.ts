import type { PartyDirectory } from '../../domain/ports/party-directory.ts'

/** Whom to ask first. */
export interface PartyChoice {
  /** The parties in the order in which they are likely to answer well: those up before those silent, those without a recent failure first, and among equals by chance. */
  rank(parties: readonly string[]): string[]
  /** The party has been slow, absent or wrong. */
  failed(partyId: string): void
}

/** Until a failure is forgotten. */
const REMEMBERED_MS = 15_000

export function createPartyChoice(directory: Pick<PartyDirectory, 'isUp'>): PartyChoice {
  const failedAt = new Map<string, number>()
  const hasFailedLately = (partyId: string) => Date.now() - (failedAt.get(partyId) ?? Number.NEGATIVE_INFINITY) < REMEMBERED_MS
  return {
    rank(parties) {
      const weights = new Map(parties.map((id) => [id, (directory.isUp(id) ? 0 : 2) + (hasFailedLately(id) ? 1 : 0) + Math.random() / 2]))
      return parties.toSorted((a, b) => weights.get(a)! - weights.get(b)!)
    },
    failed(partyId) {
      failedAt.set(partyId, Date.now())
    },
  }
}
