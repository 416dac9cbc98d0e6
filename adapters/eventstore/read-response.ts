import type { EventMetadata, RecordedEvent, SubscriptionMessage } from '../../domain/ports/event-log.ts'
import { type Cursor, cursorOf, readMessage, readTag, readText, readVarint, skipField, tag, WIRE } from '../protobuf/cursor.ts'
import { readPosition, readStreamName, readUuid } from '../protobuf/shared-messages.ts'

/**
 * What a read or a subscription is answered, as far as it matters: of a stream that is not found there is nothing to say. It is read by hand: the client's own classes take several times as long, and make a projection worker
 * spend a third of its time on them.
 *   ReadResp { oneof { ReadEvent event = 1; Checkpoint checkpoint = 3; CaughtUp caught_up = 8 } }
 *   ReadEvent { RecordedEvent event = 1 }
 *   RecordedEvent { UUID id = 1; StreamIdentifier stream = 2; uint64 revision = 3, commit_position = 5;
 *                   map<string, string> metadata = 6; bytes custom_metadata = 7, data = 8 }
 *   Checkpoint { uint64 commit_position = 1 }
 */
export type ReadResponse = Exclude<SubscriptionMessage, { kind: 'unreadable' }> | { kind: 'other' }

const RESPONSE = {
  event: tag(1, WIRE.lengthDelimited),
  checkpoint: tag(3, WIRE.lengthDelimited),
  caughtUp: tag(8, WIRE.lengthDelimited),
}
const READ_EVENT = { event: tag(1, WIRE.lengthDelimited) }
const EVENT = {
  id: tag(1, WIRE.lengthDelimited),
  stream: tag(2, WIRE.lengthDelimited),
  revision: tag(3, WIRE.varint),
  position: tag(5, WIRE.varint),
  property: tag(6, WIRE.lengthDelimited),
  metadata: tag(7, WIRE.lengthDelimited),
  data: tag(8, WIRE.lengthDelimited),
}
const PROPERTY = { key: tag(1, WIRE.lengthDelimited), value: tag(2, WIRE.lengthDelimited) }

const NOTHING = cursorOf(Buffer.alloc(0))
const JSON_TYPE = 'application/json'
/** Times of recording are in units of 100 ns since 1970: so many digits less, and they are in milliseconds. */
const TICK_DIGITS = 4

/** Nothing of the answer points into `bytes`. @throws MalformedMessage */
export function decodeReadResponse(bytes: Buffer): ReadResponse {
  const message = cursorOf(bytes)
  let response: ReadResponse = { kind: 'other' }
  for (let field = readTag(message); field !== 0; field = readTag(message)) {
    if (field === RESPONSE.event) response = readResolvedEvent(readMessage(message))
    else if (field === RESPONSE.checkpoint) response = { kind: 'checkpoint', position: readPosition(message) }
    else {
      if (field === RESPONSE.caughtUp) response = { kind: 'caughtUp' }
      skipField(message, field)
    }
  }
  return response
}

function readResolvedEvent(message: Cursor): ReadResponse {
  let event: RecordedEvent | undefined
  for (let field = readTag(message); field !== 0; field = readTag(message)) {
    if (field === READ_EVENT.event) event = readRecordedEvent(readMessage(message))
    else skipField(message, field)
  }
  return event ? { kind: 'event', event } : { kind: 'other' }
}

/** What the store itself notes of an event. */
type Properties = { type: string; created: string; contentType: string }

function readRecordedEvent(message: Cursor): RecordedEvent {
  const properties: Properties = { type: '', created: '0', contentType: '' }
  let id = ''
  let stream = ''
  let revision = 0n
  let position = 0n
  let metadata = NOTHING
  let data = NOTHING
  for (let field = readTag(message); field !== 0; field = readTag(message)) {
    if (field === EVENT.id) id = readUuid(message)
    else if (field === EVENT.stream) stream = readStreamName(message)
    else if (field === EVENT.revision) revision = BigInt(readVarint(message))
    else if (field === EVENT.position) position = BigInt(readVarint(message))
    else if (field === EVENT.property) readProperty(readMessage(message), properties)
    else if (field === EVENT.metadata) metadata = readMessage(message)
    else if (field === EVENT.data) data = readMessage(message)
    else skipField(message, field)
  }
  return {
    id,
    type: properties.type,
    stream,
    revision,
    position,
    recordedAt: timeOf(properties.created),
    data: properties.contentType === JSON_TYPE ? parsed(data, textOf) : bytesOf(data),
    metadata: (metadata.at < metadata.end ? parsed(metadata, bytesOf) : undefined) as EventMetadata,
  }
}

function readProperty(message: Cursor, properties: Properties): void {
  let key = ''
  let value = ''
  for (let field = readTag(message); field !== 0; field = readTag(message)) {
    if (field === PROPERTY.key) key = readText(message)
    else if (field === PROPERTY.value) value = readText(message)
    else skipField(message, field)
  }
  if (key === 'type') properties.type = value
  else if (key === 'created') properties.created = value
  else if (key === 'content-type') properties.contentType = value
}

/** What was recorded together was recorded at the same time, and a date takes longer to write than all else here. */
let lastTime = { milliseconds: '0', text: new Date(0).toISOString() }

function timeOf(ticks: string): string {
  const milliseconds = ticks.slice(0, -TICK_DIGITS)
  if (milliseconds !== lastTime.milliseconds) {
    const time = new Date(Number(milliseconds))
    lastTime = { milliseconds, text: (Number.isNaN(time.getTime()) ? new Date(0) : time).toISOString() }
  }
  return lastTime.text
}

const textOf = ({ bytes, at, end }: Cursor): string => bytes.toString('utf8', at, end)
const bytesOf = ({ bytes, at, end }: Cursor): Uint8Array => Uint8Array.from(bytes.subarray(at, end))

/** Whoever else writes to the store may call JSON what is not; that is for those who take the event to find out. */
function parsed(field: Cursor, otherwise: (field: Cursor) => unknown): object {
  try {
    return JSON.parse(textOf(field)) as object
  } catch {
    return otherwise(field) as object
  }
}
