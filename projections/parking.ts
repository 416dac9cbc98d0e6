import type { Documents } from '../domain/ports/documents.ts'
import { type EventLog, EventUnreadable, type RecordedEvent } from '../domain/ports/event-log.ts'
import type { Build, ParkedEvent, ProjectionStore } from '../domain/ports/projections.ts'
import { beginUnlessUnderWay } from './builds.ts'
import { describe } from './failure.ts'
import type { Projection } from './projection.ts'
import { applyEvents, type Stuck, writeMaker } from './writes.ts'

const RETRY_BATCH = 200

/** The record of an event that a build cannot apply. */
export function parkedEvent({ id, projection }: Build, { event, error }: Stuck): ParkedEvent {
  return {
    build: id,
    projection,
    stream: event.stream,
    revision: String(event.revision),
    position: String(event.position),
    type: event.type,
    error: describe(error),
    parkedAt: new Date().toISOString(),
    held: 0,
  }
}

export type RetryOptions = {
  projection: Projection
  build: Build
  log: Pick<EventLog, 'readStream'>
  documents: Pick<Documents, 'apply'>
  store: Pick<ProjectionStore, 'unpark' | 'repark' | 'begin'>
}

/**
 * Applies a parked event and what waits behind it, for all partitions, and ends the parking when all of it went through; if a later event is in the
 * way now, that is the one parked. Workers hold the stream until they notice. Documents made of several streams have moved on meanwhile, past what
 * would have to be added to them: such a read model is built anew.
 * @throws Unavailable
 */
export async function retryParked(parked: ParkedEvent, { projection, build, log, documents, store }: RetryOptions): Promise<void> {
  if (projection.acrossStreams) return beginUnlessUnderWay(store, projection.name, projection.version)
  const make = writeMaker(projection, build)
  const first = BigInt(parked.revision)
  let through = first - 1n
  let stuck: Stuck | undefined
  const applyNext = async (events: readonly RecordedEvent[]) => {
    stuck = await applyEvents(
      documents,
      events.map((event) => ({ event })),
      make,
    )
    through = events.at(-1)?.revision ?? through
  }
  let events: RecordedEvent[] = []
  try {
    for await (const event of log.readStream(parked.stream, { from: first })) {
      events.push(event)
      if (events.length < RETRY_BATCH) continue
      await applyNext(events)
      if (stuck) break
      events = []
    }
    if (!stuck) await applyNext(events)
  } catch (error) {
    if (!(error instanceof EventUnreadable)) throw error
    await applyNext(events)
    stuck ??= { event: error, error }
  }
  if (stuck) await store.repark(parked, parkedEvent(build, stuck))
  else await store.unpark(parked, through)
}
