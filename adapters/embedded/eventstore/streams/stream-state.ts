import { metastreamOf, NO_STREAM, originOf, type RecordedEvent, TOMBSTONE } from '../log/event.ts'
import type { Log } from '../log/log.ts'
import { DELETED, METASTREAM_METADATA, parseMetadata, type StreamMetadata } from './stream-metadata.ts'

/** The newest event of a stream that is not tombstoned. */
export function lastEvent(log: Log, stream: string): RecordedEvent | undefined {
  const last = log.lastRevision(stream)
  if (last === NO_STREAM || last === TOMBSTONE) return undefined
  return log.readStream(stream, last, 'backwards', 1).events[0]
}

/** An event that was not called JSON means no metadata, as in EventStoreDB. */
export function metadataOf(log: Log, stream: string): StreamMetadata {
  if (originOf(stream) !== undefined) return METASTREAM_METADATA
  const event = lastEvent(log, metastreamOf(stream))
  return event?.json ? parseMetadata(event.data) : {}
}

export const isDeleted = (metadata: StreamMetadata): boolean => (metadata.truncateBefore ?? 0) >= DELETED

/** What a reader finds: events (perhaps all hidden), nothing, or a tombstone, which a metastream shares with its stream. */
export function readability(log: Log, stream: string): 'found' | 'not_found' | 'tombstoned' {
  const origin = originOf(stream)
  const last = log.lastRevision(stream)
  if (last === TOMBSTONE || (origin !== undefined && log.lastRevision(origin) === TOMBSTONE)) return 'tombstoned'
  return last === NO_STREAM || isDeleted(metadataOf(log, stream)) ? 'not_found' : 'found'
}
