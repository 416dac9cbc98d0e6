/** An event as streams deliver it: CloudEvents 1.0, JSON format. */
import { personalFields } from '../../domain/personal-data/personal-fields.ts'
import type { JsonObject, RecordedEvent } from '../../domain/ports/event-log.ts'
import { PLATFORM_TENANT } from '../../http/route.ts'
import { encodeCursor } from './cursor.ts'

/** The log, as CloudEvents wants it named: `id` is unique within. */
const SOURCE = '/v1/streams/events'

/** The stream that has every event of the domain. */
export const EVERY_EVENT = 'events'

/** A read model, as far as streams go: an event that it makes nothing of is not in its stream. */
export type StreamedProjection = { name: string; apply(event: RecordedEvent): readonly unknown[] }

/** What is made of an event once for all readers; of the event itself nothing is kept. */
export type Entry = {
  id: string
  /** Of the log, and where in it the event is. */
  stream: string
  revision: bigint
  position: bigint
  cursor: string
  type: string
  /** When it happened, RFC 3339. */
  time: string
  tenant: string
  walletId: string | undefined
  /** Names of the streams that it is in. */
  streams: ReadonlySet<string>
  /** The envelope. */
  json: string
}

export type EntryOptions = {
  origin: string
  projections: readonly StreamedProjection[]
  /** What of the event's data anybody may read. */
  shown(event: RecordedEvent): JsonObject
  /** Nothing can be made of the event by this version: its envelope goes out without data, among all events only. */
  unreadable?: boolean
}

export function entryOf(event: RecordedEvent, { origin, projections, shown, unreadable = false }: EntryOptions): Entry {
  const { position, type, stream } = event
  const cursor = encodeCursor({ origin, position })
  // Whoever else writes to the store may leave out anything: that is for the platform to see.
  const { tenant = PLATFORM_TENANT, occurredAt = event.recordedAt } = (event.metadata ?? {}) as Partial<RecordedEvent['metadata']>
  const walletId = unreadable ? undefined : (event.data as { walletId?: string }).walletId
  const envelope = {
    specversion: '1.0',
    id: event.id,
    source: SOURCE,
    type,
    subject: stream,
    time: occurredAt,
    tenant,
    position: String(position),
    cursor,
    ...(!unreadable && { datacontenttype: 'application/json', data: { walletId, ...withoutPersonal(event, shown(event)) } }),
  }
  const touched = unreadable ? [] : projections.filter((projection) => touches(projection, event))
  return {
    id: event.id,
    stream,
    revision: event.revision,
    position,
    cursor,
    type,
    time: occurredAt,
    tenant,
    walletId,
    streams: new Set([EVERY_EVENT, ...touched.map(({ name }) => name)]),
    json: JSON.stringify(envelope),
  }
}

/** Sealed or, from before fields were sealed, in the clear: erasing them must not depend on those who have read a stream. */
function withoutPersonal({ stream, type }: RecordedEvent, data: JsonObject): JsonObject {
  const personal = personalFields(stream, type)
  return Object.fromEntries(Object.entries(data).filter(([field]) => !personal.includes(field)))
}

/** What a read model fails on is about it all the same. */
function touches({ apply }: StreamedProjection, event: RecordedEvent): boolean {
  try {
    return apply(event).length > 0
  } catch {
    return true
  }
}
