import type { AllStreamRecordedEvent, RecordedEvent as ClientEvent } from '@eventstore/db-client'
import type { EventMetadata, RecordedEvent } from '../../domain/ports/event-log.ts'

/** The client's event as the domain knows it. Every event that Quorate writes is JSON with JSON metadata. */
export function toRecordedEvent(event: ClientEvent | AllStreamRecordedEvent): RecordedEvent {
  return {
    id: event.id,
    type: event.type,
    stream: event.streamId,
    revision: event.revision,
    position: event.position?.commit ?? 0n,
    recordedAt: event.created.toISOString(),
    data: event.data as object,
    metadata: event.metadata as EventMetadata,
  }
}
