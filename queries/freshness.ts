/** Which build of a read model to read from, and how far it has come: heard from the workers instead of asked of the database. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Messages } from '../domain/ports/messages.ts'
import { BEGINNING, type Build, BuildGone, type BuildReport, PARTITIONS, type ProjectionStore } from '../domain/ports/projections.ts'
import { type BuildProgress, buildProgress } from './build-progress.ts'
import { coalesced } from './coalesced.ts'
import { type FeedMessage, parseDocumentMessage, parseFeedMessage } from './feed-message.ts'
import { type Wait, waitingRoom } from './waiting.ts'
import type { WorkerReports } from './worker-reports.ts'

/** Workers report every second: after this without a word, nothing is to be heard at all. */
const SILENCE_MS = 1_500
/** Hints that the build is another one are followed up this often at most. */
const LOOK_AT_MOST_EVERY_MS = 200
/** How long the last look of a wait that was in vain may take. */
const LAST_LOOK_WITHIN_MS = 1_000
/** A wait for a change ends after this long in any case: of a connection lost for less than a second the reports may tell nothing. */
const LONGEST_WAIT_FOR_CHANGE_MS = 5_000
const MAX_REMEMBERED_KEYS = 10_000
const MAX_WAITING = 10_000

/**
 * What to read from. It holds every event up to `position`, undefined while that is not known or before all of them, and was last known to hold
 * everything in the log at `currentAt` (ms since the epoch).
 */
export type Reading = { build: Build; isActive: boolean; position: bigint | undefined; currentAt: number }

export interface Freshness {
  /** Undefined while there is no build at all, or none is known. */
  reading(): Reading | undefined

  /** The event at the position is known to be in the log: until the read model has it, a missing document may be on its way. */
  expect(position: bigint): void

  /** The highest position expected, or once reached, while the read model is not there: it lags behind, or is being built anew. */
  awaited(): bigint | undefined

  /** Asks the database which build to read from, and where that is. @throws Unavailable */
  look(): Promise<void>

  /** Resolves with whether the read model reached the position within the time. @throws Problem `read_model_behind` when too many wait already */
  reached(position: bigint, wait: Wait): Promise<boolean>

  /**
   * Waits for a change of the document with this id after the position. Resolves with the change's own position, from which to wait on;
   * without one when it is only worth a look, be it that the time is up. @throws Problem `read_model_behind` when too many wait already
   */
  changed(key: string, after: bigint, wait: Wait): Promise<bigint | undefined>

  close(): void
}

type Target = { build: Build; isActive: boolean; progress: BuildProgress }

const ALL_PARTITIONS = Array.from({ length: PARTITIONS }, (_, partition) => partition)

/**
 * Follows `quorate.projection.<projection>` (partitions of a build have got to a position), `quorate.projection.<projection>.<key>` (one document
 * written), and the workers' reports, which make up for messages that were lost. Which build to read from the database alone says: the others only
 * give reason to ask it.
 */
export async function followProjection({
  projection,
  store,
  messages,
  workers,
  maxWaiting = MAX_WAITING,
}: {
  projection: string
  store: Pick<ProjectionStore, 'builds' | 'checkpoints'>
  messages: Pick<Messages, 'subscribe'>
  workers: WorkerReports
  maxWaiting?: number
}): Promise<Freshness> {
  const subject = `quorate.projection.${projection}`
  const lastChange = new Map<string, bigint>()
  const waitingForPosition = new Set<{ position: bigint; wake(): void }>()
  const waitingForChange = new Map<string, Set<() => void>>()
  const room = waitingRoom(maxWaiting)
  let target: Target | undefined
  let expected: bigint | undefined
  let lowestAwaited: bigint | undefined
  let currentAt = Date.now()
  let heardAt = Date.now()
  let lookedAt = 0
  let nextLook: NodeJS.Timeout | undefined

  const position = () => target?.progress.position()
  const has = (sought: bigint) => {
    const known = position()
    return known !== undefined && known >= sought
  }

  const expect = (position: bigint) => {
    if (expected === undefined || position > expected) expected = position
  }

  const wakeThoseWhoHaveIt = () => {
    const known = position()
    if (known === undefined) return
    // What was there once is expected to be there again.
    if (known >= 0n) expect(known)
    if (lowestAwaited === undefined || known < lowestAwaited) return
    lowestAwaited = undefined
    for (const waiter of waitingForPosition) {
      if (known >= waiter.position) waiter.wake()
      else if (lowestAwaited === undefined || waiter.position < lowestAwaited) lowestAwaited = waiter.position
    }
  }

  const wakeAllWaitingForChange = () => {
    for (const waiters of waitingForChange.values()) for (const wake of waiters) wake()
  }

  const look = coalesced(async () => {
    lookedAt = Date.now()
    const { active, building } = await store.builds(projection)
    const build = active ?? building
    const checkpoints = build && (await checkpointsOf(store, build))
    currentAt = target?.progress.currentAt() ?? currentAt
    if (!build || !checkpoints) {
      target = undefined
      return
    }
    if (target?.build.id !== build.id) {
      // A build becomes active because it has caught up; how far one in the making is behind nobody can tell.
      if (active) currentAt = Date.now()
      target = { build, isActive: false, progress: buildProgress(currentAt) }
      wakeAllWaitingForChange()
    }
    target.isActive = active !== undefined
    for (const partition of ALL_PARTITIONS) target.progress.reached([partition], (checkpoints.get(partition) ?? BEGINNING).position)
    wakeThoseWhoHaveIt()
  })

  /** At once, unless that has just been done. A database that does not answer is asked again at the next hint. */
  const followUp = () => {
    nextLook ??= setTimeout(
      () => {
        nextLook = undefined
        look().catch(() => undefined)
      },
      Math.max(0, lookedAt + LOOK_AT_MOST_EVERY_MS - Date.now()),
    )
  }

  /** Whether that was news. */
  const advance = (to: Target, partitions: readonly number[], position: bigint): boolean => {
    const isNews = to.progress.reached(partitions, position)
    if (isNews) wakeThoseWhoHaveIt()
    return isNews
  }

  const hearOfProgress = ({ position, build, partitions }: FeedMessage) => {
    heardAt = Date.now()
    if (target?.build.id === build) advance(target, partitions, position)
    else followUp()
  }

  const hearOfDocument = (key: string, position: bigint) => {
    heardAt = Date.now()
    remember(lastChange, key, position)
    for (const wake of waitingForChange.get(key) ?? []) wake()
  }

  const hearReport = ({ build, role, partitions, position, currentAt }: BuildReport) => {
    heardAt = Date.now()
    const isActive = role === 'active'
    if (target?.build.id !== build) {
      if (isActive || !target?.isActive) followUp()
      return
    }
    if (isActive !== target.isActive) followUp()
    // News that the feed has not brought: some of its messages were lost, and with them perhaps changes that somebody waits for.
    if (position !== null && advance(target, partitions, BigInt(position))) wakeAllWaitingForChange()
    if (currentAt !== null) target.progress.wereCurrent(partitions, Date.parse(currentAt))
  }

  const stops = [
    messages.subscribe(subject, (payload) => {
      const message = parseFeedMessage(payload)
      if (message) hearOfProgress(message)
    }),
    messages.subscribe(`${subject}.*`, (payload, name) => {
      const position = parseDocumentMessage(payload)
      if (position !== undefined) hearOfDocument(name.slice(subject.length + 1), position)
    }),
    workers.listen(({ builds }) => {
      for (const build of builds) if (build.projection === projection) hearReport(build)
    }),
  ]
  // The reports give reason to look again, where the database does not answer now.
  await look().catch(() => undefined)

  return {
    reading: () => {
      if (!target) return undefined
      const { build, isActive, progress } = target
      const known = progress.position()
      return { build, isActive, position: known !== undefined && known >= 0n ? known : undefined, currentAt: progress.currentAt() }
    },
    expect,
    awaited: () => (expected === undefined || has(expected) ? undefined : expected),
    look,
    reached: async (position, wait) => {
      if (has(position)) return true
      const woken = await room.pause(wait, (wake) => {
        const waiter = { position, wake }
        waitingForPosition.add(waiter)
        if (lowestAwaited === undefined || position < lowestAwaited) lowestAwaited = position
        return () => waitingForPosition.delete(waiter)
      })
      if (!woken && !wait.signal.aborted && Date.now() - heardAt > SILENCE_MS)
        await Promise.race([look().catch(() => undefined), delay(LAST_LOOK_WITHIN_MS, undefined, { ref: false })])
      return has(position)
    },
    changed: async (key, after, { timeoutMs, signal }) => {
      const changedAt = () => {
        const last = lastChange.get(key)
        return last !== undefined && last > after ? last : undefined
      }
      if (changedAt() !== undefined) return changedAt()
      await room.pause({ timeoutMs: Math.min(timeoutMs, LONGEST_WAIT_FOR_CHANGE_MS), signal }, (wake) => {
        const waiters = waitingForChange.get(key) ?? new Set()
        waitingForChange.set(key, waiters.add(wake))
        return () => {
          waiters.delete(wake)
          if (waiters.size === 0) waitingForChange.delete(key)
        }
      })
      return changedAt()
    },
    close: () => {
      for (const stop of stops) stop()
      clearTimeout(nextLook)
    },
  }
}

async function checkpointsOf(store: Pick<ProjectionStore, 'checkpoints'>, build: Build) {
  try {
    return await store.checkpoints(build)
  } catch (error) {
    if (error instanceof BuildGone) return undefined
    throw error
  }
}

/** The keys changed last are at the end. */
function remember(lastChange: Map<string, bigint>, key: string, position: bigint): void {
  lastChange.delete(key)
  const oldest = lastChange.size < MAX_REMEMBERED_KEYS ? undefined : lastChange.keys().next().value
  if (oldest !== undefined) lastChange.delete(oldest)
  lastChange.set(key, position)
}
