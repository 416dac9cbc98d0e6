import type { EventStoreDBClient } from '@eventstore/db-client'
import { type RecordedEvent, Unavailable } from '../../domain/ports/event-log.ts'
import { asDomainError } from './errors.ts'
import { openRead, type ReadCall, type ReadRequest } from './read-call.ts'
import type { ReadResponse } from './read-response.ts'

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

export function openReads(client: EventStoreDBClient, { deadlineMs }: { deadlineMs: number }): Reads {
  async function page(request: ReadRequest): Promise<RecordedEvent[]> {
    const opening = openRead(client, request)
    try {
      return await within(opening.then(eventsOf), deadlineMs)
    } catch (error) {
      opening.then((call) => call.cancel()).catch(() => {})
      throw asDomainError(error)
    }
  }
  const bounded = (count: number) => Math.min(count, READ_PAGE)

  return {
    stream: (stream, from, count) => page({ stream, direction: 'forwards', from, count: bounded(count) }),
    async lastOf(stream) {
      return (await page({ stream, direction: 'backwards', from: 'end', count: 1 }))[0]
    },
    all: (from, count) => page({ direction: 'forwards', from, count: bounded(count) }),
    newest: (count, before) => page({ direction: 'backwards', from: before ?? 'end', count: bounded(count) }),
  }
}

/** All that the call is answered; that a stream is not found is an answer like any other, and holds no events. */
function eventsOf(call: ReadCall): Promise<RecordedEvent[]> {
  return new Promise((resolve, reject) => {
    const events: RecordedEvent[] = []
    call
      .on('data', (response: ReadResponse) => void (response.kind === 'event' && events.push(response.event)))
      .on('error', reject)
      .on('end', () => resolve(events))
  })
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
