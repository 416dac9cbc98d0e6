import type { EventStoreDBClient } from '@eventstore/db-client'
import type { EventLog, RecordedEvent } from '../../domain/ports/event-log.ts'
import { openAppends } from './appends.ts'
import { subscribeToAll } from './catch-up.ts'
import { consumeGroup } from './competing-consumer.ts'
import { closeClient, openClient } from './connection.ts'
import { openReads, READ_PAGE } from './reads.ts'
import { isSnapshot, snapshotsIn } from './snapshots.ts'

/** How far to look back for the last event of the domain: the store writes events of its own, but not many in a row. */
const PAGES_BACK = 20

export type EventLogOptions = {
  /** A connection string (`esdb://…`). */
  url: string
  /** How long a call may go without an answer. */
  deadlineMs?: number
  /** How long a subscription may say nothing before it is found out whether it is still there. */
  silenceMs?: number
}

/**
 * An event log on EventStoreDB, through its official client. Connects on first use, and again when the connection is lost. Every subscription
 * has a client of its own: a client that got no answer when it asked what the server can do never asks again.
 */
export function connectEventLog({ url, deadlineMs = 10_000, silenceMs = 5_000 }: EventLogOptions): EventLog {
  const client = openClient(url)
  const appends = openAppends(client, { deadlineMs })
  const reads = openReads(client, { deadlineMs })
  const subscriptions = new Set<EventStoreDBClient>()

  async function* withOwnClient<T>(open: (client: EventStoreDBClient) => AsyncIterable<T>): AsyncGenerator<T> {
    const own = openClient(url)
    subscriptions.add(own)
    try {
      yield* open(own)
    } finally {
      subscriptions.delete(own)
      void closeClient(own).catch(() => {})
    }
  }

  return {
    append: appends.append,

    async *readStream(stream, { from = 0n, limit = Number.POSITIVE_INFINITY } = {}) {
      let next = from
      for (let left = limit; left > 0; ) {
        const page = await reads.stream(stream, next, left)
        yield* page
        left -= page.length
        const last = page.at(-1)
        if (!last || page.length < READ_PAGE) return
        next = last.revision + 1n
      }
    },

    async *readAll({ after, from: first, limit = Number.POSITIVE_INFINITY } = {}) {
      // Reads include the position they start from, and a page may hold nothing but system events: go on from the last one read.
      let from = first ?? after
      for (let left = limit; left > 0; ) {
        const page = await reads.all(from, READ_PAGE)
        const fresh = page.filter(({ position }) => from === undefined || position > from || position === first)
        for (const event of fresh) {
          if (isSystem(event) || isSnapshot(event)) continue
          yield event
          if (--left === 0) return
        }
        const last = fresh.at(-1)
        if (!last) return
        from = last.position
      }
    },

    async lastPosition(prefixes) {
      let before: bigint | undefined
      for (let page = 0; page < PAGES_BACK; page++) {
        const events = await reads.newest(READ_PAGE, before)
        const found = events.find(({ stream }) => prefixes.some((prefix) => stream.startsWith(prefix)))
        if (found) return found.position
        const oldest = events.at(-1)
        if (!oldest) return undefined
        before = oldest.position
      }
      return undefined
    },

    subscribe: (options) => withOwnClient((own) => subscribeToAll(own, { ...options, newest: reads.newest, silenceMs })),

    consume: (options) => withOwnClient((own) => consumeGroup(own, { ...options, deadlineMs, silenceMs })),

    ...snapshotsIn(reads, appends),

    async ping() {
      await reads.newest(1)
    },

    async close() {
      appends.close()
      await Promise.all([client, ...subscriptions].map(closeClient))
    },
  }
}

const isSystem = ({ stream, type }: RecordedEvent) => stream.startsWith('$') || type.startsWith('$')
