/** Bounds on how long a request may be worked on. */
import type { ServerResponse } from 'node:http'
import { Problem } from './problem.ts'

export type Deadlines = {
  /**
   * Runs the work with a signal that tells it to stop waiting: the client has gone away, the time is up, or the server is closing.
   * @throws Problem `deadline_exceeded` when the work does not come back in time
   */
  run<T>(response: ServerResponse, milliseconds: number, work: (signal: AbortSignal) => Promise<T>): Promise<T>
  /** Aborted when the server closes. */
  readonly closing: AbortSignal
  /** Tells everything under way, and whatever still comes, to stop waiting. */
  close(): void
}

/** How long work may take to answer once it has been told to stop waiting. */
const GRACE_MS = 1_000

export function deadlines(): Deadlines {
  const underWay = new Set<AbortController>()
  const closing = new AbortController()
  return {
    closing: closing.signal,
    async run(response, milliseconds, work) {
      const controller = new AbortController()
      const stop = () => controller.abort()
      response.once('close', stop)
      underWay.add(controller)
      if (closing.signal.aborted) stop()
      let timer: NodeJS.Timeout | undefined
      const overdue = new Promise<never>((_, reject) => {
        const giveUp = () => reject(new Problem('deadline_exceeded', 'the request was not done in time; its outcome is unknown'))
        timer = setTimeout(() => {
          stop()
          timer = setTimeout(giveUp, GRACE_MS)
        }, milliseconds)
      })
      try {
        return await Promise.race([work(controller.signal), overdue])
      } finally {
        clearTimeout(timer)
        response.off('close', stop)
        underWay.delete(controller)
      }
    },
    close() {
      closing.abort()
      for (const controller of underWay) controller.abort()
    },
  }
}
