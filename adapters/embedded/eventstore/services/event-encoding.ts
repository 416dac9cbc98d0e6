import {
  delimitedSize,
  LARGEST_SIZE,
  numberSize,
  type Output,
  writeBytes,
  writeDelimiter,
  writeLargest,
  writeNumber,
  writeRaw,
} from '../../../protobuf/output.ts'
import { PREFIX_BYTES, writePrefix } from '../grpc/messages.ts'
import { createBoundedMap } from '../log/bounded-map.ts'
import { type RecordedEvent, TOMBSTONE } from '../log/event.ts'
import type { ResolvedEvent } from '../streams/read.ts'
import { originalOf } from './mapping.ts'
import { encodeUuid } from './shared-fields.ts'

/**
 * An answer that holds an event, framed. It is encoded by hand: such answers are most of what a server sends, and the generated classes
 * take several times as long. Reads and persistent subscriptions have messages of their own with the same fields:
 *   ReadResp { ReadEvent event = 1 }
 *   ReadEvent { RecordedEvent event = 1, link = 2; uint64 commit_position = 3; int32 retry_count = 5 (persistent only) }
 *   RecordedEvent { UUID id = 1; StreamIdentifier stream = 2; uint64 revision = 3, prepare = 4, commit = 5;
 *                   map<string, string> metadata = 6; bytes custom_metadata = 7, data = 8 }
 */
export function encodeEventAnswer(resolved: ResolvedEvent, structuredIds: boolean, retryCount?: number): Buffer {
  const event = resolved.event && partsOf(resolved.event, structuredIds)
  const link = resolved.link && partsOf(resolved.link, structuredIds)
  const { position } = originalOf(resolved)
  const size =
    (event ? delimitedSize(event.size) : 0) +
    (link ? delimitedSize(link.size) : 0) +
    numberSize(position) +
    (retryCount === undefined ? 0 : numberSize(retryCount))
  const length = delimitedSize(size)
  const output: Output = { bytes: Buffer.allocUnsafe(PREFIX_BYTES + length), at: PREFIX_BYTES }
  writePrefix(output.bytes, length)
  writeDelimiter(output, 1, size)
  if (event) writeParts(output, 1, event)
  if (link) writeParts(output, 2, link)
  writeNumber(output, 3, position)
  if (retryCount !== undefined) writeNumber(output, 5, retryCount)
  return output.bytes
}

/** A recorded event, of which some fields are encoded already. */
type Parts = { event: RecordedEvent; id: Buffer; stream: Buffer; type: Buffer; created: Buffer; contentType: Buffer; size: number }

const TICKS_PER_MILLISECOND = 10_000

const JSON_TYPE = property('content-type', 'application/json')
const BINARY_TYPE = property('content-type', 'application/octet-stream')

/** Streams and types repeat, and events are often made at the same time as the one before. */
const encodedStreams = createBoundedMap<string, Buffer>(1024)
const encodedTypes = createBoundedMap<string, Buffer>(1024)
const encodedTimes = createBoundedMap<number, Buffer>(64)

function partsOf(event: RecordedEvent, structuredIds: boolean): Parts {
  const id = encodeUuid(event.id, structuredIds)
  const stream = remembered(encodedStreams, event.stream, encodeStream)
  const type = remembered(encodedTypes, event.type, encodeType)
  const created = remembered(encodedTimes, event.created, encodeTime)
  const contentType = event.json ? JSON_TYPE : BINARY_TYPE
  const size =
    delimitedSize(id.length) +
    stream.length +
    (event.revision === TOMBSTONE ? LARGEST_SIZE : numberSize(event.revision)) +
    2 * numberSize(event.position) +
    type.length +
    created.length +
    contentType.length +
    delimitedSize(event.metadata.length) +
    delimitedSize(event.data.length)
  return { event, id, stream, type, created, contentType, size }
}

function writeParts(output: Output, field: number, { event, id, stream, type, created, contentType, size }: Parts): void {
  writeDelimiter(output, field, size)
  writeBytes(output, 1, id)
  writeRaw(output, stream)
  if (event.revision === TOMBSTONE) writeLargest(output, 3)
  else writeNumber(output, 3, event.revision)
  writeNumber(output, 4, event.position)
  writeNumber(output, 5, event.position)
  writeRaw(output, type)
  writeRaw(output, created)
  writeRaw(output, contentType)
  writeBytes(output, 7, event.metadata)
  writeBytes(output, 8, event.data)
}

function remembered<Key>(
  known: { get(key: Key): Buffer | undefined; set(key: Key, value: Buffer): void },
  key: Key,
  encode: (key: Key) => Buffer,
) {
  const found = known.get(key)
  if (found) return found
  const encoded = encode(key)
  known.set(key, encoded)
  return encoded
}

const encodeType = (type: string) => property('type', type)

const encodeTime = (created: number) => property('created', String(created * TICKS_PER_MILLISECOND))

/** The field 2 of an event. */
function encodeStream(stream: string): Buffer {
  return delimited(2, delimited(3, Buffer.from(stream)))
}

/** The field 6 of an event: an entry of a map. */
function property(key: string, value: string): Buffer {
  return delimited(6, Buffer.concat([delimited(1, Buffer.from(key)), delimited(2, Buffer.from(value))]))
}

function delimited(field: number, value: Buffer): Buffer {
  const output: Output = { bytes: Buffer.alloc(delimitedSize(value.length)), at: 0 }
  writeBytes(output, field, value)
  return output.bytes
}
