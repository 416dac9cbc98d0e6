/** Read models as streams of events know them. */
import type { JsonObject, RecordedEvent } from '../domain/ports/event-log.ts'
import { PROJECTIONS } from './catalogue.ts'
import { DOMAIN_STREAMS, type RecordedDomainEvent } from './projection.ts'
import { shown } from './wallet-history.ts'

/** Every read model, by its name; an event of a stream that none is made of changes none. */
export const STREAMED_PROJECTIONS = PROJECTIONS.map(({ name, apply }) => ({
  name,
  apply: (event: RecordedEvent) =>
    DOMAIN_STREAMS.some((prefix) => event.stream.startsWith(prefix)) ? apply(event as RecordedDomainEvent) : [],
}))

/** What anybody may read of an event's data who may read the event. */
export const shownOf = ({ data }: RecordedEvent): JsonObject => shown(data as JsonObject)
