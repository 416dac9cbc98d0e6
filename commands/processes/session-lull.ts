export type LullOptions = {
  /** Told when no session is at work any more, and when none has been for as long as a lull takes. */
  onEase(): void
  /** How long no session has been at work in a lull. */
  lullMs?: number
  /** How long a session is made way for at most: where there always is one, nothing else would ever go on. */
  waitMs?: number
}

/** Whether sessions are at work, of which the next often follows the last at once. */
export type SessionLull = {
  /** A session is at work until the returned function is called. */
  sessionBegan(): () => void
  /** None is at work at this moment. */
  readonly isIdle: boolean
  /** None is at work, and none has been for a while. */
  readonly isLull: boolean
  /** Resolves when none is at work, or when it has been waited for long enough. */
  idle(): Promise<void>
  close(): void
}

const LULL_MS = 200
const WAIT_MS = 1_000

export function watchSessions({ onEase, lullMs = LULL_MS, waitMs = WAIT_MS }: LullOptions): SessionLull {
  const waiting = new Set<() => void>()
  let sessions = 0
  /** Runs from the end of the last session until the lull. */
  let untilLull: NodeJS.Timeout | undefined

  const release = () => {
    for (const goOn of waiting) goOn()
  }
  const beginLull = () => {
    untilLull = undefined
    onEase()
  }

  return {
    get isIdle() {
      return sessions === 0
    },
    get isLull() {
      return sessions === 0 && untilLull === undefined
    },

    sessionBegan() {
      sessions++
      clearTimeout(untilLull)
      untilLull = undefined
      return () => {
        sessions--
        if (sessions > 0) return
        untilLull = setTimeout(beginLull, lullMs)
        release()
        onEase()
      }
    },

    idle() {
      if (sessions === 0) return Promise.resolve()
      return new Promise((resolve) => {
        const goOn = () => {
          clearTimeout(timer)
          waiting.delete(goOn)
          resolve()
        }
        const timer = setTimeout(goOn, waitMs)
        waiting.add(goOn)
      })
    },

    close() {
      clearTimeout(untilLull)
      release()
    },
  }
}
