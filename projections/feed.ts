import { setTimeout as delay } from 'node:timers/promises'
import type { EventLog, SubscriptionMessage } from '../domain/ports/event-log.ts'
import { BEGINNING, type Checkpoint } from '../domain/ports/projections.ts'
import type { Follower } from './follower.ts'
import { DOMAIN_STREAMS } from './projection.ts'
import { type ReadAhead, readAhead } from './read-ahead.ts'
import type { Delivered } from './writes.ts'

/** Events that are held in memory at most, beside the batch at work and one of the subscription's. */
const READ_AHEAD = 1_000

/** While it catches up each batch that is not full is let grow for this long: the fewer writes, the faster. */
const GATHER_MS = 20

/** Builds that are this many events apart, or less, are read for together. */
const NEAR = 5_000

/** Where a worker has left a build: at which position, whether nothing older was left to read, and when the build last held everything in the log. */
export type LeftAt = { position: bigint; live: boolean; currentAt: number | undefined }

/** One subscription, and the followers that it is shared by. Each event is read and decoded once for all of them. */
export type Feed = {
  readonly followers: readonly Follower[]
  /** The log has said something. */
  isConnected(): boolean
  /** Everything that was in the log has been read, and what comes now is new. */
  isLive(): boolean
  at(): Checkpoint
  /** When it last held everything in the log (ms since the epoch), as far as is known. */
  currentAt(): number | undefined
  /** The log has answered at this time: what is idle then has nothing to read. */
  confirm(answeredAt: number): void
  /** From the recording of the last event applied until its application. */
  lagMs(): number
  /** Events that have been read and not applied. */
  waiting(): number
  /** Where it is left, when it has run. */
  leftAt(): LeftAt
  /** Until the signal aborts. @throws Unavailable, BuildGone, StreamReleased */
  run(options: { log: Pick<EventLog, 'subscribe'>; signal: AbortSignal; onLive(): void }): Promise<void>
}

/**
 * Which followers read together: those that go on where they were live before, and apart from them, so that they hold up nobody, those that are
 * far behind, with whoever is near.
 */
export function groupFollowers(followers: readonly Follower[], leftAt: ReadonlyMap<string, LeftAt>): Follower[][] {
  const wasLive = (follower: Follower) => goesOn(follower, leftAt)?.live === true
  const reading = followers.filter(({ partitions }) => partitions.length > 0).sort((a, b) => b.from.events - a.from.events)
  const groups: [Follower, ...Follower[]][] = []
  for (const follower of reading) {
    const group = groups.find(([first]) => (wasLive(first) && wasLive(follower)) || first.from.events - follower.from.events <= NEAR)
    if (group) group.push(follower)
    else groups.push([follower])
  }
  return groups
}

/** Undefined when the worker has not had the build, or more of it is its own now. */
function goesOn({ build, from }: Follower, leftAt: ReadonlyMap<string, LeftAt>): LeftAt | undefined {
  const left = leftAt.get(build.id)
  return left && from.position >= left.position ? left : undefined
}

export function openFeed(followers: readonly Follower[], leftAt: ReadonlyMap<string, LeftAt>): Feed {
  let at = followers.map(({ from }) => from).reduce((a, b) => (b.position < a.position ? b : a))
  let connected = false
  let live = false
  let working = 0
  let wasLive = false
  let currentAt = leastOf(followers.map((follower) => goesOn(follower, leftAt)?.currentAt))
  let lagMs = 0
  let ahead: ReadAhead<SubscriptionMessage> | undefined

  const waiting = () => working + (ahead?.waiting() ?? 0)

  const digest = (messages: readonly SubscriptionMessage[]) => {
    const events: Delivered[] = []
    let { position, events: count } = at
    let caughtUp = live
    for (const message of messages) {
      if (message.kind === 'caughtUp') {
        caughtUp = true
        continue
      }
      const said = message.kind === 'checkpoint' ? message.position : message.event.position
      // What comes again has been considered.
      if (said <= position) continue
      position = said
      if (message.kind === 'checkpoint') continue
      events.push(message.kind === 'event' ? { event: message.event } : { event: message.event, unreadable: message.error })
      count += 1
    }
    return { events, through: { position, events: count }, live: caughtUp }
  }

  const noteAge = (last: Delivered | undefined) => {
    const recordedAt = Date.parse(last?.event.recordedAt ?? '')
    if (Number.isNaN(recordedAt)) return
    const now = Date.now()
    lagMs = Math.max(0, now - recordedAt)
    currentAt = Math.min(now, recordedAt)
  }

  return {
    followers,
    isConnected: () => connected,
    isLive: () => live,
    at: () => at,
    currentAt: () => currentAt,
    confirm(answeredAt) {
      if (live && waiting() === 0) currentAt = Math.max(currentAt ?? 0, answeredAt)
    },
    lagMs: () => lagMs,
    waiting,
    leftAt: () => ({ position: at.position, live: wasLive, currentAt }),

    async run({ log, signal, onLive }) {
      const after = at.position === BEGINNING.position ? undefined : at.position
      ahead = readAhead(log.subscribe({ after, prefixes: DOMAIN_STREAMS, signal }), { limit: READ_AHEAD })
      try {
        for await (const messages of ahead.batches) {
          connected = true
          const batch = digest(messages)
          working = batch.events.length
          await Promise.all(followers.map((follower) => follower.take(batch)))
          at = batch.through
          working = 0
          noteAge(batch.events.at(-1))
          if (!batch.live && ahead.waiting() < READ_AHEAD) await delay(GATHER_MS)
          if (batch.live && !live) {
            live = true
            wasLive = true
            onLive()
          }
        }
      } finally {
        connected = false
        live = false
      }
    },
  }
}

/** Undefined when one of them is. */
function leastOf(times: readonly (number | undefined)[]): number | undefined {
  return times.reduce((a, b) => (a === undefined || b === undefined ? undefined : Math.min(a, b)))
}
