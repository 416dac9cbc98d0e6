import { Problem } from '../http/problem.ts'

export type Wait = { timeoutMs: number; signal: AbortSignal }

export type WaitingRoom = {
  /**
   * Resolves with true when woken, with false when the time is up or the signal aborts. `enlist` is given how to wake, and returns how to leave.
   * @throws Problem `read_model_behind` when too many wait already
   */
  pause(wait: Wait, enlist: (wake: () => void) => () => void): Promise<boolean>
}

/** For at most `capacity` requests that wait for something at the same time. */
export function waitingRoom(capacity: number): WaitingRoom {
  let waiting = 0
  return {
    async pause({ timeoutMs, signal }, enlist) {
      if (signal.aborted || timeoutMs <= 0) return false
      if (waiting >= capacity) throw new Problem('read_model_behind', 'too many requests wait for this read model')
      waiting += 1
      return new Promise((resolve) => {
        const settle = (woken: boolean) => {
          waiting -= 1
          clearTimeout(timer)
          signal.removeEventListener('abort', giveUp)
          leave()
          resolve(woken)
        }
        const giveUp = () => settle(false)
        const timer = setTimeout(giveUp, timeoutMs)
        signal.addEventListener('abort', giveUp, { once: true })
        const leave = enlist(() => settle(true))
      })
    },
  }
}
