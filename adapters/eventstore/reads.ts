import {
  type AllStreamRecordedEvent,
  BACKWARDS,
  type RecordedEvent as ClientEvent,
  END,
  ErrorType,
  type EventStoreDBClient,
  FORWARDS,
  START,
} from '@eventstore/db-client'
import { type RecordedEvent, Unavailable } from '../../domain/ports/event-log.ts'
import { asDomainError, isType } from './errors.ts'
import { toRecordedEvent } from './recorded-event.ts'

/** Most events of one read. */
export const READ_PAGE = 500

/** Reads of at most a page, each within the deadline. A stream that does not exist has no events. Each @throws Unavailable */
export type Reads = {
  /** Forwards from a revision, inclusive. */
  stream(stream: string, from: bigint, count: number): Promise<RecordedEvent[]>
  lastOf(stream: string): Promise<RecordedEvent | undefined>
  /** Forwards from a position, inclusive. */
  all(from: bigint | undefined, count: number): Promise<RecordedEvent[]>
  /** Backwards from a position, exclusive, or from the end. */
  newest(count: number, before?: bigint): Promise<RecordedEvent[]>
}

type Reading = AsyncIterable<{ event?: ClientEvent | AllStreamRecordedEvent }> & { cancel(): Promise<void> }

export function openReads(client: EventStoreDBClient, { deadlineMs }: { deadlineMs: number }): Reads {
  async function page(reading: Reading): Promise<RecordedEvent[]> {
    const events: RecordedEvent[] = []
    const read = async () => {
      for await (const { event } of reading) if (event) events.push(toRecordedEvent(event))
    }
    try {
      await within(read(), deadlineMs)
      return events
    } catch (error) {
      void reading.cancel().catch(() => {})
      if (isType(error, ErrorType.STREAM_NOT_FOUND)) return []
      throw asDomainError(error)
    }
  }
  const bounded = (count: number) => Math.min(count, READ_PAGE)
  const at = (position: bigint) => ({ commit: position, prepare: position })

  return {
    stream: (stream, from, count) => page(client.readStream(stream, { direction: FORWARDS, fromRevision: from, maxCount: bounded(count) })),
    async lastOf(stream) {
      return (await page(client.readStream(stream, { direction: BACKWARDS, fromRevision: END, maxCount: 1 })))[0]
    },
    all: (from, count) =>
      page(client.readAll({ direction: FORWARDS, fromPosition: from === undefined ? START : at(from), maxCount: bounded(count) })),
    newest: (count, before) =>
      page(client.readAll({ direction: BACKWARDS, fromPosition: before === undefined ? END : at(before), maxCount: bounded(count) })),
  }
}

/** The client sets no deadline of its own on a read. @throws Unavailable when the store has not answered by then */
async function within<T>(answer: Promise<T>, deadlineMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Unavailable('eventstore')), deadlineMs)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
