import { setTimeout as delay } from 'node:timers/promises'
import { Unavailable } from '../domain/ports/event-log.ts'

/** How long the dependency may take to answer before it counts as away. */
const TIMEOUT_MS = 2_000
const PROBE_EVERY_MS = 500

export type CircuitBreaker = {
  /** Runs the work, unless the dependency is known to be away. @throws Unavailable, at once when it is known and else in bounded time */
  run<T>(work: () => Promise<T>): Promise<T>
  close(): void
}

/**
 * Keeps requests from waiting, one after the other, for a dependency that is away: the first that finds it away opens the circuit, and until
 * `probe` succeeds nobody else is made to wait.
 */
export function circuitBreaker({
  dependency,
  probe,
  timeoutMs = TIMEOUT_MS,
  probeEveryMs = PROBE_EVERY_MS,
}: {
  dependency: string
  probe(): Promise<void>
  timeoutMs?: number
  probeEveryMs?: number
}): CircuitBreaker {
  const closed = new AbortController()
  let isOpen = false

  async function untilProbed(): Promise<void> {
    while (!closed.signal.aborted) {
      const answered = await inTime(probe()).then(
        () => true,
        () => false,
      )
      if (answered) break
      await delay(probeEveryMs, undefined, { signal: closed.signal }).catch(() => undefined)
    }
    isOpen = false
  }

  async function inTime<T>(answer: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Unavailable(dependency)), timeoutMs)
    })
    try {
      return await Promise.race([answer, late])
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    async run(work) {
      if (isOpen) throw new Unavailable(dependency)
      try {
        return await inTime(work())
      } catch (error) {
        if (error instanceof Unavailable && !isOpen && !closed.signal.aborted) {
          isOpen = true
          void untilProbed()
        }
        throw error
      }
    },
    close: () => closed.abort(),
  }
}
