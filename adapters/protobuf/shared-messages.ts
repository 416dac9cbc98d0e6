import { type Cursor, readBytes, readMessage, readTag, readText, readVarint, skipField, tag, WIRE } from './cursor.ts'

/** Messages of event_store.client (shared.proto) that are part of many others. */

const ID = { structured: tag(1, WIRE.lengthDelimited), text: tag(2, WIRE.lengthDelimited) }
const ID_BITS = { most: tag(1, WIRE.varint), least: tag(2, WIRE.varint) }
const STREAM_NAME = tag(3, WIRE.lengthDelimited)
const COMMIT_POSITION = tag(1, WIRE.varint)

/** The text of a UUID, empty when there is none: UUID { oneof { Structured structured = 1; string string = 2 } }. */
export function readUuid(cursor: Cursor): string {
  const message = readMessage(cursor)
  let id = ''
  for (let field = readTag(message); field !== 0; field = readTag(message)) {
    if (field === ID.text) id = readText(message)
    else if (field === ID.structured) id = readUuidBits(readMessage(message))
    else skipField(message, field)
  }
  return id
}

/** Structured { int64 most_significant_bits = 1, least_significant_bits = 2 } */
function readUuidBits(message: Cursor): string {
  let most = 0n
  let least = 0n
  for (let field = readTag(message); field !== 0; field = readTag(message)) {
    if (field === ID_BITS.most) most = BigInt(readVarint(message))
    else if (field === ID_BITS.least) least = BigInt(readVarint(message))
    else skipField(message, field)
  }
  return uuidOfBits(most, least)
}

/** Both are unsigned. */
function uuidOfBits(most: bigint, least: bigint): string {
  const hex = [most, least].map((bits) => bits.toString(16).padStart(16, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/** The first field of what says where in the log something is: `commit_position` of a Position, or of a Checkpoint. */
export function readPosition(cursor: Cursor): bigint {
  const message = readMessage(cursor)
  let position = 0n
  for (let field = readTag(message); field !== 0; field = readTag(message)) {
    if (field === COMMIT_POSITION) position = BigInt(readVarint(message))
    else skipField(message, field)
  }
  return position
}

/** The text of a stream's name. */
export function readStreamName(cursor: Cursor): string {
  const message = readMessage(cursor)
  let name = ''
  for (let field = readTag(message); field !== 0; field = readTag(message)) {
    if (field === STREAM_NAME) name = readText(message)
    else skipField(message, field)
  }
  return name
}

/** The bytes of a stream's name: StreamIdentifier { bytes stream_name = 3 }. */
export function readStreamIdentifier(cursor: Cursor): Buffer {
  const message = readMessage(cursor)
  let name: Buffer = Buffer.alloc(0)
  for (let field = readTag(message); field !== 0; field = readTag(message)) {
    if (field === STREAM_NAME) name = readBytes(message)
    else skipField(message, field)
  }
  return name
}
