import type { PartyDirectory } from '../../domain/ports/party-directory.ts'
import type { PartyStanding } from './standing/party-standing.ts'

/** Until a failure is forgotten. */
const REMEMBERED_MS = 15_000
/** A round takes some 20 ms; what takes fifty times as long is not coming, unless the whole machine is that slow. */
const TIMEOUT_MS = 1_000

/** Those up before those silent, those without a recent failure first, and among equals by chance. */
export function createPartyChoice(directory: Pick<PartyDirectory, 'isUp'>): PartyStanding {
  const failedAt = new Map<string, number>()
  const hasFailedLately = (partyId: string) => Date.now() - (failedAt.get(partyId) ?? Number.NEGATIVE_INFINITY) < REMEMBERED_MS
  return {
    rank(parties) {
      const weights = new Map(parties.map((id) => [id, (directory.isUp(id) ? 0 : 2) + (hasFailedLately(id) ? 1 : 0) + Math.random() / 2]))
      return parties.toSorted((a, b) => weights.get(a)! - weights.get(b)!)
    },
    timeoutMs: () => TIMEOUT_MS,
    answered() {},
    failed(partyId) {
      failedAt.set(partyId, Date.now())
    },
  }
}
