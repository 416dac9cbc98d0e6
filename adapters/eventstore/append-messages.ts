import type { Appended, ExpectedRevision, NewEvent } from '../../domain/ports/event-log.ts'
import { type Cursor, cursorOf, readMessage, readTag, readText, readVarint, skipField, tag, WIRE } from '../protobuf/cursor.ts'
import {
  delimitedSize,
  numberSize,
  type Output,
  writeAscii,
  writeBytes,
  writeDelimiter,
  writeNumber,
  writeRaw,
} from '../protobuf/output.ts'
import { readPosition, readUuid } from '../protobuf/shared-messages.ts'

/** An event to append; what only the log itself reads needs no metadata. */
export type Proposed = Omit<NewEvent, 'metadata'> & { metadata: object }

export type AppendRequest = {
  /** A UUID, which the answer names. */
  readonly id: string
  readonly stream: string
  readonly expected: ExpectedRevision
  readonly events: readonly Proposed[]
  /** In milliseconds since 1970. */
  readonly deadline: number
}

/** `refusal` is what the server says of what it did not append: the name of its details' type, if it has any, and its message. */
export type AppendAnswer = {
  readonly id: string
  readonly appended?: Appended | undefined
  readonly refusal?: { readonly kind: string | undefined; readonly message: string } | undefined
}

const EMPTY = Buffer.alloc(0)
const IS_JSON = property('content-type', Buffer.from('application/json'))
/** What somebody else has written to a log comes back from its archive as the bytes that it was. */
const IS_BYTES = property('content-type', Buffer.from('application/octet-stream'))

/**
 * An append, whole in one message. It is written by hand, and its answer read by hand: the client's own classes take several times as long.
 *   BatchAppendReq { UUID correlation_id = 1; Options options = 2; repeated ProposedMessage proposed_messages = 3; bool is_final = 4 }
 *   Options { StreamIdentifier stream = 1; oneof { uint64 revision = 2; Empty no_stream = 3, any = 4 }; Timestamp deadline = 6 }
 *   ProposedMessage { UUID id = 1; map<string, string> metadata = 2; bytes custom_metadata = 3, data = 4 }
 *   UUID { string string = 2 }, StreamIdentifier { bytes stream_name = 3 }, Timestamp { int64 seconds = 1; int32 nanos = 2 }
 */
export function encodeAppendRequest({ id, stream, expected, events, deadline }: AppendRequest): Buffer {
  const options = optionsOf(Buffer.from(stream), expected, deadline)
  const proposed = events.map(partsOf)
  const output: Output = {
    bytes: Buffer.allocUnsafe(
      uuidSize(id) + delimitedSize(options.length) + proposed.reduce((sum, { size }) => sum + delimitedSize(size), 0) + numberSize(1),
    ),
    at: 0,
  }
  writeUuid(output, id)
  writeBytes(output, 2, options)
  for (const event of proposed) writeEvent(output, event)
  writeNumber(output, 4, 1)
  return output.bytes
}

function optionsOf(stream: Buffer, expected: ExpectedRevision, deadline: number): Buffer {
  const [seconds, nanos] = [Math.floor(deadline / 1_000), Math.floor(deadline % 1_000) * 1_000_000]
  const timeSize = numberSize(seconds) + numberSize(nanos)
  const revision = typeof expected === 'bigint' ? Number(expected) : undefined
  const size =
    delimitedSize(delimitedSize(stream.length)) +
    (revision === undefined ? delimitedSize(0) : numberSize(revision)) +
    delimitedSize(timeSize)
  const output: Output = { bytes: Buffer.allocUnsafe(size), at: 0 }
  writeDelimiter(output, 1, delimitedSize(stream.length))
  writeBytes(output, 3, stream)
  if (revision === undefined) writeBytes(output, expected === 'no_stream' ? 3 : 4, EMPTY)
  else writeNumber(output, 2, revision)
  writeDelimiter(output, 6, timeSize)
  writeNumber(output, 1, seconds)
  writeNumber(output, 2, nanos)
  return output.bytes
}

type Parts = { id: string; type: Buffer; contentType: Buffer; metadata: Buffer; data: Buffer; size: number }

function partsOf({ id, type: name, data: content, metadata: about }: Proposed): Parts {
  const type = property('type', Buffer.from(name))
  const contentType = content instanceof Uint8Array ? IS_BYTES : IS_JSON
  const [metadata, data] = [bytesOf(about), bytesOf(content)]
  const size = uuidSize(id) + type.length + contentType.length + delimitedSize(metadata.length) + delimitedSize(data.length)
  return { id, type, contentType, metadata, data, size }
}

const bytesOf = (content: object): Buffer => Buffer.from(content instanceof Uint8Array ? content : JSON.stringify(content))

function writeEvent(output: Output, { id, type, contentType, metadata, data, size }: Parts): void {
  writeDelimiter(output, 3, size)
  writeUuid(output, id)
  writeRaw(output, type)
  writeRaw(output, contentType)
  writeBytes(output, 3, metadata)
  writeBytes(output, 4, data)
}

/** As field 1, which both messages have it in. */
const uuidSize = (id: string) => delimitedSize(delimitedSize(id.length))

function writeUuid(output: Output, id: string): void {
  writeDelimiter(output, 1, delimitedSize(id.length))
  writeAscii(output, 2, id)
}

/** An entry of an event's map of properties. */
function property(key: string, value: Buffer): Buffer {
  const size = delimitedSize(key.length) + delimitedSize(value.length)
  const output: Output = { bytes: Buffer.allocUnsafe(delimitedSize(size)), at: 0 }
  writeDelimiter(output, 2, size)
  writeAscii(output, 1, key)
  writeBytes(output, 2, value)
  return output.bytes
}

const ANSWER = {
  id: tag(1, WIRE.lengthDelimited),
  error: tag(2, WIRE.lengthDelimited),
  success: tag(3, WIRE.lengthDelimited),
}
const SUCCESS = { revision: tag(1, WIRE.varint), position: tag(3, WIRE.lengthDelimited) }
const STATUS = { message: tag(2, WIRE.lengthDelimited), details: tag(3, WIRE.lengthDelimited) }
const ANY = { type: tag(1, WIRE.lengthDelimited) }

/**
 *   BatchAppendResp { UUID correlation_id = 1; oneof { google.rpc.Status error = 2; Success success = 3 } }
 *   Success { uint64 current_revision = 1; Position position = 3 }, Position { uint64 commit_position = 1 }
 *   Status { string message = 2; Any details = 3 }, Any { string type_url = 1 }
 * @throws MalformedMessage
 */
export function decodeAppendAnswer(bytes: Buffer): AppendAnswer {
  const message = cursorOf(bytes)
  let id = ''
  let appended: Appended | undefined
  let refusal: AppendAnswer['refusal']
  for (let field = readTag(message); field !== 0; field = readTag(message)) {
    if (field === ANSWER.id) id = readUuid(message)
    else if (field === ANSWER.success) appended = readSuccess(readMessage(message))
    else if (field === ANSWER.error) refusal = readRefusal(readMessage(message))
    else skipField(message, field)
  }
  return { id, appended, refusal }
}

/** Undefined when it does not say where the events are. */
function readSuccess(message: Cursor): Appended | undefined {
  let revision = 0n
  let position: bigint | undefined
  for (let field = readTag(message); field !== 0; field = readTag(message)) {
    if (field === SUCCESS.revision) revision = BigInt(readVarint(message))
    else if (field === SUCCESS.position) position = readPosition(message)
    else skipField(message, field)
  }
  return position === undefined ? undefined : { revision, position }
}

function readRefusal(message: Cursor): { kind: string | undefined; message: string } {
  let said = ''
  let kind: string | undefined
  for (let field = readTag(message); field !== 0; field = readTag(message)) {
    if (field === STATUS.message) said = readText(message)
    else if (field === STATUS.details) kind = readTypeName(readMessage(message))
    else skipField(message, field)
  }
  return { kind, message: said }
}

/** The last part of the name of the type: `WrongExpectedVersion` of `type.googleapis.com/event_store.client.WrongExpectedVersion`. */
function readTypeName(message: Cursor): string | undefined {
  let name: string | undefined
  for (let field = readTag(message); field !== 0; field = readTag(message)) {
    if (field === ANY.type) name = readText(message).split(/[./]/).at(-1)
    else skipField(message, field)
  }
  return name
}
