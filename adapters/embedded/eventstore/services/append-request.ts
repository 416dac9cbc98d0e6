import {
  type Cursor,
  cursorOf,
  readBool,
  readBytes,
  readInt32,
  readMessage,
  readTag,
  readText,
  readVarint,
  skipField,
  tag,
  WIRE,
} from '../../../protobuf/cursor.ts'
import { readStreamIdentifier, readUuid } from '../../../protobuf/shared-messages.ts'
import type { ProposedEvent } from '../log/event.ts'
import type { Expected } from '../streams/expected-revision.ts'
import { keyOf } from './mapping.ts'
import { validUuid } from './shared-fields.ts'

/**
 * What is sent to append. It is read by hand, as are the answers to it, because it is most of what a server receives.
 *   AppendReq { oneof { Options options = 1; ProposedMessage proposed_message = 2 } }
 *   BatchAppendReq { UUID correlation_id = 1; Options options = 2; repeated ProposedMessage proposed_messages = 3; bool is_final = 4 }
 *   Options { StreamIdentifier stream = 1; oneof { uint64 revision = 2; Empty no_stream = 3, any = 4, stream_exists = 5 };
 *             Timestamp deadline = 6 (of a batch only) }
 *   ProposedMessage { UUID id = 1; map<string, string> metadata = 2; bytes custom_metadata = 3, data = 4 }
 */
export type AppendRequest = { options: AppendOptions | undefined; event: SentEvent | undefined }

/** One part of an append; the first has the options. The correlation id is not looked into: it is given back as it came. */
export type BatchAppendRequest = { correlation: Buffer; options: AppendOptions | undefined; events: SentEvent[]; final: boolean }

/** `deadline` in milliseconds since 1970. `revision` is what was sent, if it is a number. */
export type AppendOptions = { stream: Buffer; expected: Exclude<Expected, number>; revision: number | bigint | undefined; deadline: number }

/** An event as it was sent; texts are empty when they are missing. `bytes` is what it takes in memory, roughly. */
export type SentEvent = { id: string; type: string; contentType: string; metadata: Buffer; data: Buffer; bytes: number }

const APPEND = { options: tag(1, WIRE.lengthDelimited), event: tag(2, WIRE.lengthDelimited) }
const BATCH = {
  correlation: tag(1, WIRE.lengthDelimited),
  options: tag(2, WIRE.lengthDelimited),
  event: tag(3, WIRE.lengthDelimited),
  final: tag(4, WIRE.varint),
}
const OPTIONS = {
  stream: tag(1, WIRE.lengthDelimited),
  revision: tag(2, WIRE.varint),
  noStream: tag(3, WIRE.lengthDelimited),
  any: tag(4, WIRE.lengthDelimited),
  streamExists: tag(5, WIRE.lengthDelimited),
  deadline: tag(6, WIRE.lengthDelimited),
}
const TIMESTAMP = { seconds: tag(1, WIRE.varint), nanos: tag(2, WIRE.varint) }
const EVENT = {
  id: tag(1, WIRE.lengthDelimited),
  property: tag(2, WIRE.lengthDelimited),
  metadata: tag(3, WIRE.lengthDelimited),
  data: tag(4, WIRE.lengthDelimited),
}
const MAP_ENTRY = { key: tag(1, WIRE.lengthDelimited), value: tag(2, WIRE.lengthDelimited) }

const NOTHING = Buffer.alloc(0)

/** For an event apart from what is in its message. */
const EVENT_OVERHEAD_BYTES = 256

/** @throws MalformedMessage */
export function decodeAppendRequest(bytes: Buffer): AppendRequest {
  const message = cursorOf(bytes)
  const request: AppendRequest = { options: undefined, event: undefined }
  for (let field = readTag(message); field !== 0; field = readTag(message)) {
    if (field === APPEND.options) request.options = readOptions(readMessage(message))
    else if (field === APPEND.event) request.event = readEvent(readMessage(message))
    else skipField(message, field)
  }
  return request
}

/** @throws MalformedMessage */
export function decodeBatchAppendRequest(bytes: Buffer): BatchAppendRequest {
  const message = cursorOf(bytes)
  const request: BatchAppendRequest = { correlation: NOTHING, options: undefined, events: [], final: false }
  for (let field = readTag(message); field !== 0; field = readTag(message)) {
    if (field === BATCH.event) request.events.push(readEvent(readMessage(message)))
    else if (field === BATCH.correlation) request.correlation = readBytes(message)
    else if (field === BATCH.options) request.options = readOptions(readMessage(message))
    else if (field === BATCH.final) request.final = readBool(message)
    else skipField(message, field)
  }
  return request
}

function readOptions(message: Cursor): AppendOptions {
  const options: AppendOptions = { stream: NOTHING, expected: 'any', revision: undefined, deadline: Number.POSITIVE_INFINITY }
  const expect = (expected: AppendOptions['expected'], field: number) => {
    options.expected = expected
    options.revision = undefined
    skipField(message, field)
  }
  for (let field = readTag(message); field !== 0; field = readTag(message)) {
    if (field === OPTIONS.stream) options.stream = readStreamIdentifier(message)
    else if (field === OPTIONS.revision) options.revision = readVarint(message)
    else if (field === OPTIONS.noStream) expect('no_stream', field)
    else if (field === OPTIONS.any) expect('any', field)
    else if (field === OPTIONS.streamExists) expect('stream_exists', field)
    else if (field === OPTIONS.deadline) options.deadline = readTimestamp(readMessage(message))
    else skipField(message, field)
  }
  return options
}

/** Milliseconds since 1970. */
function readTimestamp(message: Cursor): number {
  let milliseconds = 0
  for (let field = readTag(message); field !== 0; field = readTag(message)) {
    if (field === TIMESTAMP.seconds) milliseconds += Number(BigInt.asIntN(64, BigInt(readVarint(message)))) * 1000
    else if (field === TIMESTAMP.nanos) milliseconds += readInt32(message) / 1e6
    else skipField(message, field)
  }
  return milliseconds
}

function readEvent(message: Cursor): SentEvent {
  const event: SentEvent = {
    id: '',
    type: '',
    contentType: '',
    metadata: NOTHING,
    data: NOTHING,
    bytes: EVENT_OVERHEAD_BYTES + message.end - message.at,
  }
  for (let field = readTag(message); field !== 0; field = readTag(message)) {
    if (field === EVENT.id) event.id = readUuid(message)
    else if (field === EVENT.property) readProperty(readMessage(message), event)
    else if (field === EVENT.metadata) event.metadata = readBytes(message)
    else if (field === EVENT.data) event.data = readBytes(message)
    else skipField(message, field)
  }
  return event
}

function readProperty(entry: Cursor, event: SentEvent): void {
  let key = ''
  let value = ''
  for (let field = readTag(entry); field !== 0; field = readTag(entry)) {
    if (field === MAP_ENTRY.key) key = readText(entry)
    else if (field === MAP_ENTRY.value) value = readText(entry)
    else skipField(entry, field)
  }
  if (key === 'type') event.type = value
  else if (key === 'content-type') event.contentType = value
}

/** @throws BadRequest */
export function expectedOf({ revision, expected }: AppendOptions): Expected {
  return revision === undefined ? expected : keyOf(revision)
}

/** The first required property of an event that is missing. */
export function missingProperty({ type, contentType }: SentEvent): string | undefined {
  if (type === '') return 'type'
  return contentType === '' ? 'content-type' : undefined
}

/** @throws BadRequest */
export function proposedEvent({ id, type, contentType, metadata, data }: SentEvent): ProposedEvent {
  return { id: validUuid(id), type, json: contentType === 'application/json', data, metadata }
}
