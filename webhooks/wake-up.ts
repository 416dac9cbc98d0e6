import { setTimeout as delay } from 'node:timers/promises'

/** Tells all who wait that something has changed. */
export type WakeUp = {
  ring(): void
  /** Resolves at the next ring, when the time is up, or when the signal aborts. */
  wait(milliseconds: number, signal: AbortSignal): Promise<void>
}

/** Longest that a timer can wait. */
const MOST_MS = 2 ** 31 - 1

export function wakeUp(): WakeUp {
  const waiting = new Set<() => void>()
  return {
    ring() {
      for (const wake of [...waiting]) wake()
    },
    wait: (milliseconds, signal) =>
      new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer)
          waiting.delete(done)
          signal.removeEventListener('abort', done)
          resolve()
        }
        const timer = setTimeout(done, Math.min(Math.max(0, milliseconds), MOST_MS))
        waiting.add(done)
        signal.addEventListener('abort', done)
        if (signal.aborted) done()
      }),
  }
}

/** Resolves when the time is up, or the signal aborts. */
export const pause = (milliseconds: number, signal: AbortSignal) =>
  delay(Math.min(milliseconds, MOST_MS), undefined, { signal }).catch(() => {})
