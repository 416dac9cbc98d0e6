/** One subscription to the log for all readers that have caught up. It runs while there are any, and a little longer. */
import { setTimeout as delay } from 'node:timers/promises'
import { type EventLog, type SubscriptionMessage, Unavailable } from '../../domain/ports/event-log.ts'
import type { Entry } from './cloud-event.ts'
import { BEGINNING } from './cursor.ts'
import { createRing, type Ring, type RingBounds } from './ring.ts'

const RETRY_MS = 500
/** A reader that was cut off is soon back. */
const LINGER_MS = 5_000

export type BroadcastOptions = {
  log: Pick<EventLog, 'subscribe' | 'lastPosition'>
  prefixes: readonly string[]
  bounds: RingBounds
  /** Makes entries of what comes of the log, in its order. @throws Unavailable */
  entriesOf(messages: readonly SubscriptionMessage[]): Promise<readonly Entry[]>
}

/** What a reader has joined, until it leaves. */
export type Joined = {
  /** Resolves once the ring is at the end of the log. @throws Unavailable when that takes too long, or the signal aborts */
  live(milliseconds: number, signal: AbortSignal): Promise<void>
  head(): bigint
  after: Ring['after']
  /** Resolves when there is news, the time is up, or the signal aborts. */
  news(milliseconds: number, signal: AbortSignal): Promise<void>
  leave(): void
}

export type Broadcast = {
  join(): Joined
  held(): ReturnType<Ring['size']>
  close(): void
}

export function createBroadcast(options: BroadcastOptions): Broadcast {
  let running: Running | undefined
  let readers = 0
  let lingering: NodeJS.Timeout | undefined
  const stop = () => {
    clearTimeout(lingering)
    running?.stop()
    running = undefined
  }
  return {
    join() {
      running ??= run(options)
      readers += 1
      clearTimeout(lingering)
      const { ring, live, news } = running
      let left = false
      return {
        live,
        news,
        head: () => ring()?.head() ?? BEGINNING,
        after: (position, limit) => ring()?.after(position, limit),
        leave() {
          if (left) return
          left = true
          readers -= 1
          if (readers === 0 && running) lingering = setTimeout(stop, LINGER_MS).unref()
        },
      }
    },
    held: () => running?.ring()?.size() ?? { entries: 0, characters: 0 },
    close: stop,
  }
}

type Running = Pick<Joined, 'live' | 'news'> & { ring(): Ring | undefined; stop(): void }

function run({ log, prefixes, bounds, entriesOf }: BroadcastOptions): Running {
  const stopping = new AbortController()
  const { signal } = stopping
  const waiting = new Set<() => void>()
  let ring: Ring | undefined
  let live = false

  const wakeAll = () => {
    for (const wake of [...waiting]) wake()
  }

  const follow = async () => {
    ring ??= createRing((await log.lastPosition(prefixes)) ?? BEGINNING, bounds)
    const at = ring.head()
    for await (const messages of log.subscribe({ after: at === BEGINNING ? undefined : at, prefixes, signal })) {
      for (const entry of await entriesOf(messages)) if (entry.position > ring.head()) ring.push(entry)
      live ||= messages.some(({ kind }) => kind === 'caughtUp')
      wakeAll()
    }
  }

  const keepFollowing = async () => {
    while (!signal.aborted) {
      // Readers stay: they have missed nothing, and go on when the log is back.
      await follow().catch(() => undefined)
      live = false
      await delay(RETRY_MS, undefined, { signal }).catch(() => undefined)
    }
  }
  void keepFollowing()

  const news = (milliseconds: number, reader: AbortSignal) =>
    new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer)
        waiting.delete(done)
        reader.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, milliseconds)
      waiting.add(done)
      reader.addEventListener('abort', done)
      if (reader.aborted) done()
    })

  return {
    ring: () => ring,
    news,
    async live(milliseconds, reader) {
      for (const deadline = Date.now() + milliseconds; !live; ) {
        const left = deadline - Date.now()
        if (left <= 0 || reader.aborted) throw new Unavailable('eventstore')
        await news(left, reader)
      }
    },
    stop: () => stopping.abort(),
  }
}
