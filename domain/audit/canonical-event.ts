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
export type Held<Text = string> = { readonly json: Text } | { readonly base64: Text }

export const heldIn = (value: unknown): Held =>
  value instanceof Uint8Array ? { base64: bytesToBase64(value) } : { json: canonicalJson(value ?? null) }

export const textOf = <Text>(held: Held<Text>): Text => ('json' in held ? held.json : held.base64)

type Named = Omit<AuditedEvent, 'data' | 'metadata'>

/** `canonicalEvent` of an event that holds this. */
export function leafText(event: Named, data: Held, metadata: Held): string {
  const [before, between, after] = textAround(event, data, metadata)
  return `${before}${textOf(data)}${between}${textOf(metadata)}${after}`
}

/** Where leaves are put together, one over the other: to allocate each takes longer than to write it. */
let room = new Uint8Array(65_536)
const utf8 = new TextEncoder()
/** Of one UTF-16 code unit. */
const MOST_UTF8_BYTES = 3

/** A leaf in UTF-8, and what of it is the event's data and metadata: all of it until the next is written. */
export type Leaf = { readonly leaf: Uint8Array; readonly data: Held<Uint8Array>; readonly metadata: Held<Uint8Array> }

/** `leafText` of an event, in UTF-8; of what it holds as text, or in UTF-8 already. */
export function writeLeaf(event: Named, data: Held<string | Uint8Array>, metadata: Held<string | Uint8Array>): Leaf {
  const around = textAround(event, data, metadata)
  const parts = [around[0], textOf(data), around[1], textOf(metadata), around[2]] as const
  const most = MOST_UTF8_BYTES * parts.reduce((sum, { length }) => sum + length, 0)
  if (room.length < most) room = new Uint8Array(most)
  const ends = writeAtOnce(parts) ?? writeEach(parts)
  return {
    leaf: room.subarray(0, ends[4]),
    data: holding(data, room.subarray(ends[0], ends[1])),
    metadata: holding(metadata, room.subarray(ends[2], ends[3])),
  }
}

type Part = string | Uint8Array

/** Where each ends. Undefined when not all of it is ASCII, where texts are as long as their bytes. */
function writeAtOnce(parts: readonly Part[]): readonly number[] | undefined {
  let text = ''
  const ends: number[] = []
  for (const part of parts) {
    if (typeof part !== 'string') return undefined
    text += part
    ends.push(text.length)
  }
  return utf8.encodeInto(text, room).written === text.length ? ends : undefined
}

function writeEach(parts: readonly Part[]): readonly number[] {
  let end = 0
  return parts.map((part) => {
    if (typeof part === 'string') end += utf8.encodeInto(part, room.subarray(end)).written
    else {
      room.set(part, end)
      end += part.length
    }
    return end
  })
}

const holding = <Text>(held: Held<unknown>, text: Text): Held<Text> => ('json' in held ? { json: text } : { base64: text })

/** What of a leaf comes before its data, between them and its metadata, and after these. */
function textAround(
  { stream, revision, id, type }: Named,
  data: Held<unknown>,
  metadata: Held<unknown>,
): readonly [before: string, between: string, after: string] {
  const [name, kind, identity] = [canonicalJson(stream), canonicalJson(type), canonicalJson(id)]
  const [dataBegins, dataEnds] = 'json' in data ? ['"data":', ''] : ['"dataBase64":"', '"']
  const [metadataBegins, metadataEnds] = 'json' in metadata ? ['"metadata":', ''] : ['"metadataBase64":"', '"']
  return [
    `{${dataBegins}`,
    `${dataEnds},"id":${identity},${metadataBegins}`,
    `${metadataEnds},"revision":"${revision}","stream":${name},"type":${kind}}`,
  ]
}
