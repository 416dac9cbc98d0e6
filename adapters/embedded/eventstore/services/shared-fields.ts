import { type Cursor, readMessage, readTag, skipField, tag, WIRE } from '../../../protobuf/cursor.ts'
import { delimitedSize, type Output, writeAscii } from '../../../protobuf/output.ts'
import { BadRequest } from './errors.ts'
import { shared } from './generated.ts'

/** Messages of event_store.client (shared.proto) that are part of many others. */

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

const STRUCTURED = tag(1, WIRE.lengthDelimited)

/** A UUID in lower case. @throws BadRequest */
export function validUuid(text: string): string {
  if (UUID.test(text)) return text
  const id = text.toLowerCase()
  if (!UUID.test(id)) throw new BadRequest('an id is not a UUID')
  return id
}

/** Whether ids are wanted as numbers: UUIDOption { oneof { Empty structured = 1, string = 2 } }. */
export function readIdOption(cursor: Cursor): boolean {
  const message = readMessage(cursor)
  let structured = false
  for (let field = readTag(message); field !== 0; field = readTag(message)) {
    structured = field === STRUCTURED
    skipField(message, field)
  }
  return structured
}

/** A UUID message. */
export function encodeUuid(id: string, structured: boolean): Buffer {
  if (structured) return encodeUuidBits(id)
  const output: Output = { bytes: Buffer.allocUnsafe(delimitedSize(id.length)), at: 0 }
  writeAscii(output, 2, id)
  return output.bytes
}

function encodeUuidBits(id: string): Buffer {
  const hex = id.replaceAll('-', '')
  const numbers = new shared.UUID.Structured()
  numbers.setMostSignificantBits(signedText(hex.slice(0, 16)))
  numbers.setLeastSignificantBits(signedText(hex.slice(16)))
  const message = new shared.UUID()
  message.setStructured(numbers)
  return Buffer.from(message.serializeBinary())
}

const signedText = (hex: string) => BigInt.asIntN(64, BigInt(`0x${hex}`)).toString()
