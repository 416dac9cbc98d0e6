/**
 * Reading protobuf's wire format (protobuf.dev/programming-guides/encoding) one field after the other. A message within a message has a
 * cursor of its own over the same bytes.
 */
export type Cursor = { readonly bytes: Buffer; at: number; readonly end: number }

/** The bytes are no message. */
export class MalformedMessage extends Error {
  override readonly name = 'MalformedMessage'
}

/** How a field's value is written. */
export const WIRE = { varint: 0, fixed64: 1, lengthDelimited: 2, fixed32: 5 } as const

export const cursorOf = (bytes: Buffer): Cursor => ({ bytes, at: 0, end: bytes.length })

/** What a field's tag consists of, as `readTag` returns it. */
export const tag = (field: number, wire: number): number => field * 8 + wire

/** The next field's tag, or 0 when there is none. @throws MalformedMessage */
export function readTag(cursor: Cursor): number {
  if (cursor.at >= cursor.end) return 0
  const found = Number(readVarint(cursor))
  if (found < 8) throw new MalformedMessage('a field has no number')
  return found
}

/** A number of up to 64 bits, taken as unsigned; larger ones than a double holds exactly as bigint. @throws MalformedMessage */
export function readVarint(cursor: Cursor): number | bigint {
  const { bytes, end } = cursor
  let value = 0
  let factor = 1
  for (let { at } = cursor; at < end; at += 1, factor *= 0x80) {
    const byte = bytes[at]!
    // Seven groups of seven bits fit into a double.
    if (at - cursor.at === 7) return readLargeVarint(cursor)
    value += (byte & 0x7f) * factor
    if (byte < 0x80) {
      cursor.at = at + 1
      return value
    }
  }
  throw new MalformedMessage('a number is incomplete')
}

function readLargeVarint(cursor: Cursor): number | bigint {
  let value = 0n
  for (let count = 0; count < 10 && cursor.at < cursor.end; count += 1) {
    const byte = cursor.bytes[cursor.at++]!
    value |= BigInt(byte & 0x7f) << BigInt(7 * count)
    if (byte < 0x80) {
      const unsigned = BigInt.asUintN(64, value)
      return unsigned <= Number.MAX_SAFE_INTEGER ? Number(unsigned) : unsigned
    }
  }
  throw new MalformedMessage('a number is incomplete or too large')
}

/** A number of 32 bits with a sign; negative ones are written like those of 64 bits. */
export function readInt32(cursor: Cursor): number {
  return Number(BigInt.asIntN(32, BigInt(readVarint(cursor))))
}

export const readBool = (cursor: Cursor): boolean => readVarint(cursor) !== 0

/** A view of the bytes. @throws MalformedMessage */
export function readBytes(cursor: Cursor): Buffer {
  const start = startOfDelimited(cursor)
  return cursor.bytes.subarray(start, cursor.at)
}

export function readText(cursor: Cursor): string {
  const start = startOfDelimited(cursor)
  return cursor.bytes.toString('utf8', start, cursor.at)
}

/** A message within the message. @throws MalformedMessage */
export function readMessage(cursor: Cursor): Cursor {
  const start = startOfDelimited(cursor)
  return { bytes: cursor.bytes, at: start, end: cursor.at }
}

/** Leaves out the value of a field that means nothing here. @throws MalformedMessage */
export function skipField(cursor: Cursor, fieldTag: number): void {
  switch (fieldTag & 7) {
    case WIRE.varint:
      readVarint(cursor)
      return
    case WIRE.lengthDelimited:
      startOfDelimited(cursor)
      return
    case WIRE.fixed64:
      advance(cursor, 8)
      return
    case WIRE.fixed32:
      advance(cursor, 4)
      return
    default:
      throw new MalformedMessage('a field is of an unknown kind')
  }
}

/** Moves behind a length and as many bytes, and returns where these start. */
function startOfDelimited(cursor: Cursor): number {
  const length = Number(readVarint(cursor))
  const start = cursor.at
  advance(cursor, length)
  return start
}

function advance(cursor: Cursor, length: number): void {
  if (length > cursor.end - cursor.at) throw new MalformedMessage('a field is incomplete')
  cursor.at += length
}
