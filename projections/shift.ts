import { setTimeout as delay } from 'node:timers/promises'
import type { Documents } from '../domain/ports/documents.ts'
import type { EventLog } from '../domain/ports/event-log.ts'
import { type Build, type BuildReport, collectionOf, type ParkedEvent, type ProjectionStore } from '../domain/ports/projections.ts'
import { buildsToFollow, ensureBuild, type Followed, type Retirement, type TakeOver, takeOver } from './builds.ts'
import type { ChangeFeed } from './change-feed.ts'
import { groupFollowers, type LeftAt, openFeed } from './feed.ts'
import { type Follower, follow } from './follower.ts'
import { retryParked } from './parking.ts'
import { partitionOf } from './partition.ts'
import type { Projection } from './projection.ts'
import { buildReports } from './report.ts'

const LOOK_EVERY_MS = 500
const ASK_LOG_EVERY_MS = 500
/** What stopped at something that may have been put right since is tried again this much later. */
const STOPPED_FOR_MS = 30_000

export type ShiftOptions = {
  projections: readonly Projection[]
  log: Pick<EventLog, 'subscribe' | 'readStream' | 'ping'>
  documents: Pick<Documents, 'apply' | 'ensureIndexes'>
  store: ProjectionStore
  feed: ChangeFeed
  retirement: Retirement
  /** Partitions of the build that are this worker's now. */
  assigned(build: Build): readonly number[]
  /** By build; handed on from shift to shift. */
  leftAt: Map<string, LeftAt>
  onFailure(projection: string, error: unknown): void
}

/** Work on the same partitions of the same builds, until something of that changes. */
export type Shift = {
  /** Until the signal aborts or it has ended. @throws Unavailable, BuildGone, StreamReleased: a new one begins from the checkpoints */
  run(signal: AbortSignal): Promise<void>
  /** Looks after everything now, and not only when it is time. */
  call(): void
  /** Ends, if what is this worker's is not as it was. */
  reassign(): void
  report(failure: string | null): BuildReport[]
}

/** Finds out what is to be done, and where to begin. @throws Unavailable, BuildGone */
export async function openShift(options: ShiftOptions): Promise<Shift> {
  const { projections, log, documents, store, retirement, assigned, leftAt } = options

  const look = async (): Promise<Followed[]> => {
    const found = await Promise.all(
      projections.map(async (projection) => {
        const builds = await ensureBuild(projection, store)
        await retirement.attend(projection, builds)
        return buildsToFollow(projection, builds)
      }),
    )
    return found.flat()
  }

  const open = async (followed: Followed): Promise<Follower> => {
    const { projection, build } = followed
    await documents.ensureIndexes(projection.indexes.map((index) => ({ ...index, collection: collectionOf(build, index.collection) })))
    return follow({ ...options, ...followed, partitions: assigned(build), state: await store.state(build) })
  }

  const followed = await look()
  for (const id of leftAt.keys()) if (!followed.some(({ build }) => build.id === id)) leftAt.delete(id)
  const followers = await Promise.all(followed.map(open))
  const feeds = groupFollowers(followers, leftAt).map((group) => openFeed(group, leftAt))
  const feedOf = (follower: Follower) => feeds.find((feed) => feed.followers.includes(follower))
  const takeOvers = new Map<Follower, TakeOver>(
    followers.filter(({ role }) => role === 'building').map((follower) => [follower, takeOver(follower.build, store)]),
  )
  const retrying = new Set<string>()
  const ended = new AbortController()
  const began = Date.now()
  let call = () => {}

  const keep = () => Promise.all(followers.map((follower) => follower.keep()))

  const retry = (follower: Follower, parked: ParkedEvent) => {
    const { projection, build } = follower
    const key = `${build.id} ${parked.stream}`
    if (retrying.has(key)) return
    retrying.add(key)
    retryParked(parked, { projection, build, log, documents, store })
      .catch((error: unknown) => options.onFailure(projection.name, error))
      .finally(() => retrying.delete(key))
  }

  const attendParked = async (follower: Follower) => {
    if (follower.parked().length === 0) return
    const state = await store.state(follower.build)
    follower.check(state)
    for (const parked of state.parked)
      if (parked.retryRequestedAt !== undefined && follower.partitions.includes(partitionOf(parked.stream))) retry(follower, parked)
  }

  const attendTakeOver = async (follower: Follower) => {
    const feed = feedOf(follower)
    if (feed?.isLive() && (await takeOvers.get(follower)?.attempt(feed.at().position))) ended.abort()
  }

  const attend = async () => {
    await keep()
    const now = await look()
    if (!isSame(now, followed)) return ended.abort()
    for (const follower of followers) {
      await attendParked(follower)
      await attendTakeOver(follower)
    }
    if (followers.some((follower) => follower.failure() !== null) && Date.now() - began > STOPPED_FOR_MS) ended.abort()
  }

  const attendUntilEnded = async () => {
    while (!ended.signal.aborted) {
      const pause = new AbortController()
      call = () => pause.abort()
      ended.signal.addEventListener('abort', call, { once: true })
      await delay(LOOK_EVERY_MS, undefined, { signal: pause.signal }).catch(() => {})
      ended.signal.removeEventListener('abort', call)
      if (!ended.signal.aborted) await attend()
    }
  }

  /** A subscription is silent when nothing happens, and when the log is gone: so it is asked. */
  const askLogUntilEnded = async () => {
    for (;;) {
      await delay(ASK_LOG_EVERY_MS, undefined, { signal: ended.signal }).catch(() => {})
      if (ended.signal.aborted) return
      const asked = Date.now()
      await log.ping()
      for (const feed of feeds) feed.confirm(asked)
    }
  }

  /** What has caught up needs no feed of its own any more; and it may be able to take over. */
  const onLive = () => {
    if (feeds.filter((each) => each.isLive()).length > 1) ended.abort()
    else call()
  }

  return {
    call: () => call(),

    async run(signal) {
      const end = () => ended.abort()
      signal.addEventListener('abort', end)
      if (signal.aborted) end()
      const tasks = [attendUntilEnded(), askLogUntilEnded(), ...feeds.map((feed) => feed.run({ log, signal: ended.signal, onLive }))]
      for (const follower of followers) follower.announce()
      try {
        await Promise.all(tasks)
      } finally {
        end()
        signal.removeEventListener('abort', end)
        await Promise.allSettled(tasks)
        for (const feed of feeds) for (const { build } of feed.followers) leftAt.set(build.id, feed.leftAt())
        // However it ends, what was applied need not be applied again.
        await Promise.allSettled(followers.map((follower) => follower.keep()))
      }
    },

    reassign() {
      if (followers.some(({ build, partitions }) => String(assigned(build)) !== String(partitions))) ended.abort()
    },

    report: (failure) => buildReports(followers, feeds, failure),
  }
}

function isSame(a: readonly Followed[], b: readonly Followed[]): boolean {
  const key = (followed: readonly Followed[]) => followed.map(({ build, role, visible }) => `${build.id} ${role} ${visible}`).join()
  return key(a) === key(b)
}
