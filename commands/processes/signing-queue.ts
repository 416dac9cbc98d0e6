import type { RecordedEvent } from '../../domain/ports/event-log.ts'
import type { Priority, SessionIdentity } from '../../domain/signing-session/events.ts'
import type { Waiting } from './process.ts'

/**
 * How much later than a high one a session's turn comes. A difference in time and not a rank, so that nothing starves: a low one goes before a
 * normal one that was asked for 20 s later.
 */
const AFTER_MS: { readonly [P in Priority]: number } = { high: 0, normal: 10_000, low: 30_000 }

/** How signing sessions wait: by priority and age, and without what the session's stream says anyway, so that ten thousand fit in memory. */
export function signingQueue(capacity: number): Waiting {
  return {
    capacity,
    turnOf: (event) => Date.parse(event.recordedAt) + AFTER_MS[(event.data as { priority?: Priority }).priority ?? 'normal'],
    keep(event): RecordedEvent {
      const { sessionId, keyId, walletId } = event.data as SessionIdentity
      return { ...event, data: { sessionId, keyId, walletId } }
    },
  }
}
