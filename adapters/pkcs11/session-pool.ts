import { Unavailable } from '../../domain/ports/event-log.ts'

export type SessionPool<Session> = {
  /**
   * Runs an operation on a session that nobody else uses meanwhile. A session whose operation failed may still be in the middle of it, and
   * the device may have forgotten the idle ones too, so none of them is used again.
   * @throws Unavailable when waiting and operation together take too long, or when too many wait
   */
  use<Result>(operation: (session: Session) => Promise<Result>): Promise<Result>
  /** Lets running operations end, closes the sessions and refuses further use. @throws Unavailable when they do not end in time */
  close(): Promise<void>
}

export type SessionPoolOptions<Session> = {
  size: number
  maxWaiting: number
  timeoutMs: number
  open(): Session
  close(session: Session): void
}

/** A pool of sessions with a token, opened when they are needed. */
export function createSessionPool<Session>({
  size,
  maxWaiting,
  timeoutMs,
  open,
  close,
}: SessionPoolOptions<Session>): SessionPool<Session> {
  const idle: Session[] = []
  const waiting: (() => void)[] = []
  let busy = 0
  let closed = false
  let whenQuiet = () => {}

  async function turn(): Promise<void> {
    if (busy >= size) {
      if (waiting.length >= maxWaiting) throw new Unavailable('hsm')
      // Whoever is called has inherited a turn, and `busy` stays as it is.
      await new Promise<void>((resolve) => waiting.push(resolve))
    } else busy++
  }

  function endTurn(): void {
    const next = waiting.shift()
    if (next) next()
    else if (--busy === 0) whenQuiet()
  }

  async function run<Result>(operation: (session: Session) => Promise<Result>, late: AbortSignal): Promise<Result> {
    await turn()
    try {
      if (late.aborted || closed) throw new Unavailable('hsm')
      const session = idle.pop() ?? open()
      try {
        const result = await operation(session)
        idle.push(session)
        return result
      } catch (error) {
        for (const suspect of [session, ...idle.splice(0)]) close(suspect)
        throw error
      }
    } finally {
      endTurn()
    }
  }

  return {
    use(operation) {
      const late = new AbortController()
      return withDeadline(timeoutMs, run(operation, late.signal), () => late.abort())
    },
    async close() {
      closed = true
      if (busy > 0) {
        const quiet = new Promise<void>((resolve) => {
          whenQuiet = resolve
        })
        await withDeadline(timeoutMs, quiet, () => {})
      }
      for (const session of idle.splice(0)) close(session)
    },
  }
}

async function withDeadline<Result>(ms: number, work: Promise<Result>, onLate: () => void): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      onLate()
      reject(new Unavailable('hsm'))
    }, ms)
  })
  try {
    return await Promise.race([work, deadline])
  } finally {
    clearTimeout(timer)
  }
}
