/** When a delivery that has failed is tried again. */
export type Retries = {
  /** Waits after the first, second, … attempt; the last one for all that follow. */
  waitsMs: readonly number[]
  /** A delivery is given up when it has failed for so long. */
  giveUpAfterMs: number
  /** Nothing more is sent to a receiver that has taken nothing for so long. */
  disableAfterMs: number
}

/** Of a wait, either way: those that failed together are not tried again together. */
const JITTER = 0.1
/** Longest that a receiver may ask to be left alone. */
const MOST_ASKED_MS = 24 * 3_600_000

/** How long to wait after so many failed attempts. `random` is from 0 to 1. */
export function waitAfter({ waitsMs }: Pick<Retries, 'waitsMs'>, attempts: number, random = Math.random()): number {
  const wait = waitsMs[Math.min(attempts, waitsMs.length) - 1] ?? 0
  return wait * (1 + JITTER * (2 * random - 1))
}

/** What a receiver's `Retry-After` comes to. */
export const askedWait = (retryAfterMs: number | undefined): number => Math.min(retryAfterMs ?? 0, MOST_ASKED_MS)

/** Waits in seconds, as a setting has them; a delivery is given up after all of them. */
export function retriesOf(waits: readonly number[], disableAfterMs: number): Retries {
  const waitsMs = waits.map((seconds) => seconds * 1000)
  return { waitsMs, giveUpAfterMs: waitsMs.reduce((sum, wait) => sum + wait, 0), disableAfterMs }
}
