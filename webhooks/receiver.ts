/** How a receiver has done of late, and what follows for when and how it is sent more. */
import type { Attempted } from './attempt.ts'
import { askedWait } from './retries.ts'

export type Receiver = {
  /** Takes note of an attempt; true when the receiver is back that was away. */
  note(attempted: Attempted, now: number): boolean
  /** Since when nothing has got through, ms since the epoch. */
  failingSince(): number | null
  lastAttemptAt(): number
  /** Until when it has asked to be left alone. */
  leftAloneUntil(): number
  /** Deliveries that it is sent at a time. */
  concurrency(): number
}

const CONCURRENCY = 8
/** To one that takes nothing. */
const CAREFUL = 1
/** Failures in a row after which it is taken to be away. */
const AWAY_AFTER = 3

export function receiverSince(failing: number | null, askedUntil = 0): Receiver {
  let failingSince = failing
  let failuresInARow = failing === null ? 0 : AWAY_AFTER
  let lastAttemptAt = 0
  let leftAloneUntil = askedUntil
  const isAway = () => failuresInARow >= AWAY_AFTER
  return {
    note({ record, retryAfterMs }, now) {
      const wasAway = isAway()
      lastAttemptAt = now
      if (record.status === 'delivered') {
        failuresInARow = 0
        failingSince = null
        return wasAway
      }
      failuresInARow += 1
      failingSince ??= now
      if (record.code === 'gone') leftAloneUntil = Number.POSITIVE_INFINITY
      else if (record.responseStatus === 429 || record.responseStatus === 503)
        leftAloneUntil = Math.max(leftAloneUntil, now + askedWait(retryAfterMs))
      return false
    },
    failingSince: () => failingSince,
    lastAttemptAt: () => lastAttemptAt,
    leftAloneUntil: () => leftAloneUntil,
    concurrency: () => (isAway() ? CAREFUL : CONCURRENCY),
  }
}
