/** What of a logged event enters the Merkle tree, as the one text it has. */
import { CATALOGUE } from '../event-catalogue.ts'
import { canonicalJson } from '../json/canonical-json.ts'
import type { RecordedEvent } from '../ports/event-log.ts'
import { bytesToBase64 } from './base64.ts'

/** Streams whose events are leaves of the tree: those of the domain. Snapshots, checkpoints and whatever the store keeps for itself are in none of them. */
export const AUDITED_STREAMS: readonly string[] = CATALOGUE.map(({ streams }) => streams)

/** Whether the event is a leaf. A link, or whatever else the store writes into a stream of the domain, is none. */
export function isAudited({ stream, type }: Pick<RecordedEvent, 'stream' | 'type'>): boolean {
  return !type.startsWith('$') && AUDITED_STREAMS.some((prefix) => stream.startsWith(prefix))
}

export type AuditedEvent = Pick<RecordedEvent, 'stream' | 'revision' | 'id' | 'type' | 'data' | 'metadata'>

/**
 * An event as it was stored, never upcast, in canonical JSON (RFC 8785). It says what happened, and nothing of the store that keeps it: positions in its
 * log and times of recording are others after the log was restored from an archive, and the leaf is the same.
 */
export function canonicalEvent({ stream, revision, id, type, data, metadata }: AuditedEvent): string {
  return canonicalJson({ stream, revision: revision.toString(), id, type, ...stored('data', data), ...stored('metadata', metadata) })
}

/** Whoever else writes to the store may put there what is not JSON: that is a leaf too, under a name that says so. */
function stored(field: string, value: unknown): { [field: string]: unknown } {
  return value instanceof Uint8Array ? { [`${field}Base64`]: bytesToBase64(value) } : { [field]: value ?? null }
}
