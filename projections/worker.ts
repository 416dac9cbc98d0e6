import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Documents } from '../domain/ports/documents.ts'
import type { EventLog } from '../domain/ports/event-log.ts'
import { BuildGone, type ProjectionStore, type WorkerReport } from '../domain/ports/projections.ts'
import { partitionsOf } from './assignment.ts'
import { retirement } from './builds.ts'
import type { ChangeFeed } from './change-feed.ts'
import { describe, StreamReleased } from './failure.ts'
import type { LeftAt } from './feed.ts'
import { membership } from './membership.ts'
import type { Presence } from './presence.ts'
import type { Projection } from './projection.ts'
import { openShift, type Shift } from './shift.ts'

const REPORT_EVERY_MS = 1_000
const RESTART_AFTER_MS = 500
/** The others answer a newcomer at once: what is theirs need not be begun. */
const INTRODUCTION_MS = 150

export type WorkerOptions = {
  projections: readonly Projection[]
  log: Pick<EventLog, 'subscribe' | 'readStream' | 'ping'>
  documents: Pick<Documents, 'apply' | 'ensureIndexes'>
  store: ProjectionStore
  feed: ChangeFeed
  presence: Presence
  /** How long the documents of a build that was replaced are kept. */
  graceMs: number
  /** Of a projection, or of the worker as a whole. It goes on all the same. */
  onFailure(error: unknown, projection?: string): void
}

export type Worker = {
  report(): WorkerReport
  close(): Promise<void>
}

/** Keeps its share of every read model on the log until it is closed. Whatever goes wrong, it begins again from the checkpoints. */
export function startWorker(options: WorkerOptions): Worker {
  const { presence, store, onFailure } = options
  const workerId = randomUUID()
  const startedAt = new Date().toISOString()
  const members = membership(workerId)
  const closing = new AbortController()
  let shift: Shift | undefined
  let failure: string | null = null

  const report = (leaving = false): WorkerReport => ({ workerId, startedAt, leaving, builds: shift?.report(failure) ?? [] })
  const say = () => presence.say(report())

  const shiftOptions = {
    ...options,
    retirement: retirement(store, options.graceMs),
    assigned: (build: Parameters<typeof partitionsOf>[1]) => partitionsOf(workerId, build, members.following(build.id)),
    leftAt: new Map<string, LeftAt>(),
    onFailure: (projection: string, error: unknown) => onFailure(error, projection),
  }

  const stops = [
    presence.hear((heard) => {
      if (!members.hear(heard)) return
      shift?.reassign()
      say()
    }),
    presence.onCall(() => shift?.call()),
  ]

  const work = async () => {
    say()
    await pause(INTRODUCTION_MS, closing.signal)
    while (!closing.signal.aborted) {
      try {
        shift = await openShift(shiftOptions)
        // Others may have come or gone while it was opened.
        shift.reassign()
        say()
        await shift.run(closing.signal)
        failure = null
      } catch (error) {
        if (closing.signal.aborted) return
        if (error instanceof BuildGone || error instanceof StreamReleased) continue
        failure = describe(error)
        onFailure(error)
        await pause(RESTART_AFTER_MS, closing.signal)
      }
    }
  }

  const reporting = setInterval(say, REPORT_EVERY_MS)
  const working = work()
  return {
    report,
    async close() {
      closing.abort()
      await working
      clearInterval(reporting)
      for (const stop of stops) stop()
      presence.say(report(true))
    },
  }
}

const pause = (ms: number, signal: AbortSignal) => delay(ms, undefined, { signal }).catch(() => {})
