import { type RecordedEvent, TOMBSTONE } from '../log/event.ts'
import type { ResolvedEvent } from '../streams/read.ts'
import { originalOf, uuidMessage } from './mapping.ts'

/**
 * Answers that hold an event, encoded by hand: they are most of what a server sends, and the generated classes take several times as long.
 * Reads and persistent subscriptions have messages of their own with the same fields:
 *   ReadResp { ReadEvent event = 1 }
 *   ReadEvent { RecordedEvent event = 1, link = 2; uint64 commit_position = 3; int32 retry_count = 5 (persistent only) }
 *   RecordedEvent { UUID id = 1; StreamIdentifier stream = 2; uint64 revision = 3, prepare = 4, commit = 5;
 *                   map<string, string> metadata = 6; bytes custom_metadata = 7, data = 8 }
 */
export function encodeEventAnswer(resolved: ResolvedEvent, structuredIds: boolean, retryCount?: number): Buffer {
  const event = resolved.event && encodeRecorded(resolved.event, structuredIds)
  const link = resolved.link && encodeRecorded(resolved.link, structuredIds)
  const writer = createWriter((event?.length ?? 0) + (link?.length ?? 0) + SMALL_FIELDS)
  if (event) writer.bytes(1, event)
  if (link) writer.bytes(2, link)
  writer.number(3, originalOf(resolved).position)
  if (retryCount !== undefined) writer.number(5, retryCount)
  const body = writer.finish()
  const answer = createWriter(body.length + SMALL_FIELDS)
  answer.bytes(1, body)
  return answer.finish()
}

/** Room for tags, lengths and numbers. */
const SMALL_FIELDS = 64
const UUID_LENGTH = 36
const TICKS_PER_MILLISECOND = 10_000

/** Wire types. */
const VARINT = 0
const LENGTH_DELIMITED = 2

const JSON_TYPE = mapEntry('content-type', 'application/json')
const BINARY_TYPE = mapEntry('content-type', 'application/octet-stream')

function encodeRecorded(event: RecordedEvent, structuredIds: boolean): Buffer {
  const stream = Buffer.from(event.stream)
  const type = mapEntry('type', event.type)
  const created = mapEntry('created', String(event.created * TICKS_PER_MILLISECOND))
  const contentType = event.json ? JSON_TYPE : BINARY_TYPE
  const writer = createWriter(
    UUID_LENGTH +
      stream.length +
      type.length +
      created.length +
      contentType.length +
      event.metadata.length +
      event.data.length +
      2 * SMALL_FIELDS,
  )
  writer.bytes(1, structuredIds ? uuidMessage(event.id, true).serializeBinary() : textUuid(event.id))
  writer.bytes(2, streamIdentifier(stream))
  if (event.revision === TOMBSTONE) writer.largest(3)
  else writer.number(3, event.revision)
  writer.number(4, event.position)
  writer.number(5, event.position)
  writer.bytes(6, type)
  writer.bytes(6, created)
  writer.bytes(6, contentType)
  writer.bytes(7, event.metadata)
  writer.bytes(8, event.data)
  return writer.finish()
}

function textUuid(id: string): Buffer {
  const writer = createWriter(UUID_LENGTH + 2)
  writer.text(2, id)
  return writer.finish()
}

function streamIdentifier(name: Buffer): Buffer {
  const writer = createWriter(name.length + 8)
  writer.bytes(3, name)
  return writer.finish()
}

function mapEntry(key: string, value: string): Buffer {
  const writer = createWriter(key.length + Buffer.byteLength(value) + 16)
  writer.text(1, key)
  writer.text(2, value)
  return writer.finish()
}

/** Writes protobuf fields one after the other into at most `size` bytes. */
function createWriter(size: number) {
  const buffer = Buffer.allocUnsafe(size)
  let at = 0
  const varint = (value: number) => {
    let rest = value
    while (rest > 0x7f) {
      buffer[at++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    buffer[at++] = rest
  }
  const tag = (field: number, kind: number) => {
    buffer[at++] = (field << 3) | kind
  }
  return {
    number(field: number, value: number) {
      tag(field, VARINT)
      varint(value)
    },
    /** The largest signed 64-bit integer, which a number cannot hold. */
    largest(field: number) {
      tag(field, VARINT)
      at = buffer.fill(0xff, at, at + 8).writeUInt8(0x7f, at + 8)
    },
    bytes(field: number, value: Uint8Array) {
      tag(field, LENGTH_DELIMITED)
      varint(value.length)
      buffer.set(value, at)
      at += value.length
    },
    text(field: number, value: string) {
      tag(field, LENGTH_DELIMITED)
      varint(Buffer.byteLength(value))
      at += buffer.write(value, at)
    },
    finish: () => buffer.subarray(0, at),
  }
}
