import type { Load } from './consumer.ts'

export type QueueReach = {
  /** Told of each change. */
  observe(load: Load): void
  /** How many sessions may wait. */
  capacity(): number
}

/** A session that has waited so long has as long again to be signed, before it expires. */
const WITHIN_MS = 30_000
/** Before anything has been measured: forty sessions a second. */
const EXPECTED_MS = 25
/** One that is slow, or one of few, says little. */
const WEIGHT = 1 / 32
/** Where hardly anything comes to an end, somebody still has to find out when it does again. */
const LEAST = 32

/**
 * Knows how many sessions may wait so that all get their turn well before their deadline: never more than the bound, and no more than have come to an end in such
 * a time while others waited, as of late.
 */
export function queueReach({ bound, now = Date.now }: { bound: number; now?: () => number }): QueueReach {
  let averageMs = EXPECTED_MS
  let before: Load = { waiting: 0, running: 0 }
  /** When the last one came to an end, if others have waited ever since. */
  let endedAt: number | undefined

  return {
    observe(load) {
      const ended = before.waiting + before.running - load.waiting - load.running
      before = load
      if (load.waiting === 0) endedAt = undefined
      else if (ended > 0) {
        if (endedAt !== undefined) averageMs += ((now() - endedAt) / ended - averageMs) * WEIGHT
        endedAt = now()
      }
    },
    capacity: () => Math.min(bound, Math.max(LEAST, Math.floor(WITHIN_MS / averageMs))),
  }
}
