/** From events to writes of a build, and from writes to documents. */
import type { Documents, GuardedWrite, PositionedWrites } from '../domain/ports/documents.ts'
import type { EventUnreadable, RecordedEvent } from '../domain/ports/event-log.ts'
import { type Build, collectionOf } from '../domain/ports/projections.ts'
import { isOfTheEvent, NotApplicable } from './failure.ts'
import type { Projection, RecordedDomainEvent } from './projection.ts'

/** An event as the log hands it out. */
export type Delivered = { event: RecordedEvent; unreadable?: EventUnreadable }

/** The event that is in the way, and why. */
export type Stuck = { event: Pick<RecordedEvent, 'stream' | 'revision' | 'position' | 'type'>; error: unknown }

/** Makes writes of events for one build. @throws NotApplicable, EventUnreadable */
export type WriteMaker = (delivered: Delivered) => readonly GuardedWrite[]

const NO_WRITES: readonly GuardedWrite[] = []

/**
 * What the projection makes of events, in the collections of the build. Only Quorate writes to streams of the domain, but whoever else does must
 * harm nothing but his stream.
 */
export function writeMaker(projection: Projection, build: Build): WriteMaker {
  const names = new Map(projection.collections.map((collection) => [collection, collectionOf(build, collection)]))
  const inBuild = ({ collection, id, create, set, increment, push }: GuardedWrite): GuardedWrite => {
    // Field by field, all of them: it happens to every write, and objects of one form are both made and read much faster.
    return { collection: names.get(collection) ?? collectionOf(build, collection), id, create, set, increment, push }
  }
  return ({ event, unreadable }) => {
    if (unreadable) throw unreadable
    try {
      const writes = projection.apply(event as unknown as RecordedDomainEvent)
      return writes.length === 0 ? NO_WRITES : writes.map(inBuild)
    } catch (cause) {
      throw new NotApplicable(`${projection.name} cannot apply ${event.type}`, { cause })
    }
  }
}

/**
 * Applies what is made of the events, in their order. Resolves with the first event that is in the way: everything before it has been applied then.
 * @throws whatever is not the fault of an event
 */
export async function applyEvents(
  documents: Pick<Documents, 'apply'>,
  events: readonly Delivered[],
  make: (delivered: Delivered) => readonly GuardedWrite[],
): Promise<Stuck | undefined> {
  const made: (PositionedWrites & { event: RecordedEvent })[] = []
  let unmade: Stuck | undefined
  for (const delivered of events) {
    const { event } = delivered
    try {
      const writes = make(delivered)
      if (writes.length > 0) made.push({ event, position: event.position, writes })
    } catch (error) {
      if (!isOfTheEvent(error)) throw error
      unmade = { event, error }
      break
    }
  }
  const refused = await applyUntilRefused(documents, made)
  return refused ? { event: made[refused.index]!.event, error: refused.error } : unmade
}

/**
 * All at once, unless one of the writes is refused: then those before it, and what is done of those after it does not count. Resolves with the
 * index of that one. It is found by trying halves again, which the guards make harmless.
 */
async function applyUntilRefused(
  documents: Pick<Documents, 'apply'>,
  batch: readonly PositionedWrites[],
): Promise<{ index: number; error: unknown } | undefined> {
  if (batch.length === 0) return undefined
  try {
    await documents.apply(batch)
    return undefined
  } catch (error) {
    if (!isOfTheEvent(error)) throw error
    if (batch.length === 1) return { index: 0, error }
  }
  const half = batch.length >> 1
  const first = await applyUntilRefused(documents, batch.slice(0, half))
  if (first) return first
  const second = await applyUntilRefused(documents, batch.slice(half))
  return second && { index: half + second.index, error: second.error }
}
