import { setTimeout as delay } from 'node:timers/promises'

export type Turns = {
  /** There may be something to do for it: it gets its turn, or another one when it is at work. */
  wake(key: string): void
  /** Resolves when the work under way has ended; nothing is begun any more. */
  close(): Promise<void>
}

export type TurnsOptions = {
  /** Most turns at the same time. */
  concurrency: number
  /** Does all that can be done for it now. */
  work(key: string): Promise<void>
  onFailure(key: string, error: unknown): void
  /** Before the next turn of one that has failed; doubled with every failure in a row, up to the longest. */
  firstWaitMs?: number
  longestWaitMs?: number
}

/** One turn at a time for each key, a few at a time for all of them, in the order in which they were woken. What fails gets another turn later, for as long as it takes. */
export function takeTurns({ concurrency, work, onFailure, firstWaitMs = 200, longestWaitMs = 10_000 }: TurnsOptions): Turns {
  const waiting = new Set<string>()
  const running = new Map<string, Promise<void>>()
  const failures = new Map<string, number>()
  const closing = new AbortController()

  const startNext = () => {
    for (const key of waiting) {
      if (closing.signal.aborted || running.size >= concurrency) return
      if (running.has(key)) continue
      waiting.delete(key)
      running.set(
        key,
        turn(key).finally(() => {
          running.delete(key)
          startNext()
        }),
      )
    }
  }

  const turn = async (key: string): Promise<void> => {
    try {
      await work(key)
      failures.delete(key)
    } catch (error) {
      onFailure(key, error)
      const before = failures.get(key) ?? 0
      failures.set(key, before + 1)
      const wait = Math.min(firstWaitMs * 2 ** before, longestWaitMs)
      void delay(wait, undefined, { signal: closing.signal }).then(
        () => wake(key),
        () => {},
      )
    }
  }

  const wake = (key: string) => {
    waiting.add(key)
    startNext()
  }

  return {
    wake,
    async close() {
      closing.abort()
      await Promise.all(running.values())
    },
  }
}
