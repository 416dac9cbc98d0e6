import { BACKWARDS, ErrorType, EventStoreDBClient, FORWARDS, jsonEvent, START } from '@eventstore/db-client'
import { type EventLog, type NewEvent, type RecordedEvent, Unavailable, WrongExpectedRevision } from '../../domain/ports/event-log.ts'
import { subscribeToAll } from './catch-up.ts'
import { consumeGroup } from './competing-consumer.ts'
import { asDomainError, isType } from './errors.ts'
import { toRecordedEvent } from './recorded-event.ts'

const READ_PAGE = 500
/** How far to look back for the last event of the domain: the store writes events of its own, but not many in a row. */
const PAGES_BACK = 20
/** The client sets no deadline of its own on a batch append or a read. */
const DEADLINE_MS = 10_000

/** An event log on EventStoreDB, through its official client; `url` is a connection string (`esdb://…`). Connects on first use. */
export function connectEventLog({ url }: { url: string }): EventLog {
  const client = EventStoreDBClient.connectionString(url)

  return {
    async append(stream, expected, events) {
      try {
        const result = await within(client.appendToStream(stream, events.map(toJsonEvent), { expectedRevision: expected }))
        if (!result.position) throw new Error(`the event store returned no position for an append to ${stream}`)
        return { revision: result.nextExpectedRevision, position: result.position.commit }
      } catch (error) {
        if (isType(error, ErrorType.WRONG_EXPECTED_VERSION)) throw new WrongExpectedRevision(stream)
        throw asDomainError(error)
      }
    },

    async *readStream(stream, { from = 0n, limit = Number.POSITIVE_INFINITY } = {}) {
      let next = from
      for (let left = limit; left > 0; ) {
        const page = await readPage((maxCount) => client.readStream(stream, { direction: FORWARDS, fromRevision: next, maxCount }), left)
        yield* page
        left -= page.length
        const last = page.at(-1)
        if (!last || page.length < READ_PAGE) return
        next = last.revision + 1n
      }
    },

    async *readAll({ after, limit = Number.POSITIVE_INFINITY } = {}) {
      // Reads include the position they start from, and a page may hold nothing but system events: go on from the last one read.
      let from = after
      for (let left = limit; left > 0; ) {
        const fromPosition = from === undefined ? START : { commit: from, prepare: from }
        const page = await readPage((maxCount) => client.readAll({ direction: FORWARDS, fromPosition, maxCount }), READ_PAGE)
        const fresh = page.filter(({ position }) => from === undefined || position > from)
        for (const event of fresh) {
          if (isSystem(event)) continue
          yield event
          if (--left === 0) return
        }
        const last = fresh.at(-1)
        if (!last) return
        from = last.position
      }
    },

    async lastPosition(prefixes) {
      let from: 'end' | { commit: bigint; prepare: bigint } = 'end'
      for (let page = 0; page < PAGES_BACK; page++) {
        const fromPosition = from
        const events = await readPage((maxCount) => client.readAll({ direction: BACKWARDS, fromPosition, maxCount }), READ_PAGE)
        const found = events.find(({ stream }) => prefixes.some((prefix) => stream.startsWith(prefix)))
        if (found) return found.position
        const oldest = events.at(-1)
        if (!oldest) return undefined
        from = { commit: oldest.position, prepare: oldest.position }
      }
      return undefined
    },

    subscribe: (options) => subscribeToAll(client, options),

    consume: (options) => consumeGroup(client, options),

    async ping() {
      await readPage(() => client.readAll({ direction: BACKWARDS, fromPosition: 'end', maxCount: 1 }), 1)
    },

    async close() {
      await client.dispose()
    },
  }
}

const isSystem = ({ stream, type }: RecordedEvent) => stream.startsWith('$') || type.startsWith('$')

function toJsonEvent({ id, type, data, metadata }: NewEvent) {
  return jsonEvent({ id, type, data: data as Record<string, unknown>, metadata })
}

/** One bounded read; a stream that does not exist has no events. */
async function readPage(
  open: (maxCount: number) => AsyncIterable<{ event?: Parameters<typeof toRecordedEvent>[0] }> & { cancel(): Promise<void> },
  limit: number,
): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  const reading = open(Math.min(limit, READ_PAGE))
  const read = async () => {
    for await (const { event } of reading) if (event) events.push(toRecordedEvent(event))
  }
  try {
    await within(read())
    return events
  } catch (error) {
    void reading.cancel().catch(() => {})
    if (isType(error, ErrorType.STREAM_NOT_FOUND)) return []
    throw asDomainError(error)
  }
}

/** @throws Unavailable when the store has not answered by the deadline; a write may have happened all the same */
async function within<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Unavailable('eventstore')), DEADLINE_MS)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
