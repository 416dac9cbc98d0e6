import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'

export type Field = string | number | Uint8Array

const TAGS = { string: 1, number: 2, bytes: 3 } as const

/**
 * Fields as bytes that no other fields give: each is its kind (1 byte), its length (4 bytes, big-endian) and its content. Numbers are whole, not
 * negative, and take 8 bytes. For what is hashed, or authenticated along with something sealed.
 */
export function encodeFields(...fields: readonly Field[]): Uint8Array {
  return concatBytes(...fields.flatMap(encodeField))
}

function encodeField(field: Field): Uint8Array[] {
  if (typeof field === 'string') return tagged(TAGS.string, utf8ToBytes(field))
  if (field instanceof Uint8Array) return tagged(TAGS.bytes, field)
  if (!Number.isSafeInteger(field) || field < 0) throw new RangeError('a field must be a whole number, not negative')
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(field))
  return tagged(TAGS.number, bytes)
}

function tagged(tag: number, content: Uint8Array): Uint8Array[] {
  const head = new Uint8Array(5)
  head[0] = tag
  new DataView(head.buffer).setUint32(1, content.length)
  return [head, content]
}
