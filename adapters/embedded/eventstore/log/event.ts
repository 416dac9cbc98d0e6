/** What the log holds. Revisions count the events of one stream from 0, positions those of the whole log from 1. */

/** An event as a writer proposes it. `id` is a lower-case UUID. */
export type ProposedEvent = { id: string; type: string; json: boolean; data: Uint8Array; metadata: Uint8Array }

/** An event as it was stored; `created` is in milliseconds since 1970. */
export type RecordedEvent = ProposedEvent & { stream: string; revision: number; position: number; created: number }

/** Revision and position of the last event of an append. */
export type Appended = { revision: number; position: number }

export type Direction = 'forwards' | 'backwards'

/** The last revision of a stream that was never written. */
export const NO_STREAM = -1

/** Revision of the event that ends a stream for ever. On the wire it is the largest signed 64-bit integer. */
export const TOMBSTONE = Number.MAX_SAFE_INTEGER

const METASTREAM_PREFIX = '$$'

/** The stream that keeps the metadata of `stream`. */
export const metastreamOf = (stream: string): string => METASTREAM_PREFIX + stream

/** The stream whose metadata `stream` keeps, if that is what it does. */
export const originOf = (stream: string): string | undefined =>
  stream.startsWith(METASTREAM_PREFIX) ? stream.slice(METASTREAM_PREFIX.length) : undefined
