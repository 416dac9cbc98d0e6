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
export function canonicalEvent(event: AuditedEvent): string {
  return leafText(event, heldIn(event.data), heldIn(event.metadata))
}

/** What an event holds, as text: its canonical JSON. Whoever else writes to the store may put there what is not JSON: that is a leaf too, and says so. */
export type Held = { readonly json: string } | { readonly base64: string }

export const heldIn = (value: unknown): Held =>
  value instanceof Uint8Array ? { base64: bytesToBase64(value) } : { json: canonicalJson(value ?? null) }

export const textOf = (held: Held): string => ('json' in held ? held.json : held.base64)

/** `canonicalEvent` of an event that holds this. */
export function leafText({ stream, revision, id, type }: Omit<AuditedEvent, 'data' | 'metadata'>, data: Held, metadata: Held): string {
  const [name, kind, identity] = [stream, type, id].map(canonicalJson)
  return `{${field('data', data)},"id":${identity},${field('metadata', metadata)},"revision":"${revision}","stream":${name},"type":${kind}}`
}

const field = (name: string, held: Held) => ('json' in held ? `"${name}":${held.json}` : `"${name}Base64":"${held.base64}"`)
