import { utf8ToBytes } from '@noble/hashes/utils.js'

export type Field = string | number | Uint8Array

const TAGS = { string: 1, number: 2, bytes: 3 } as const

/**
 * Fields as bytes that no other fields give: each is its kind (1 byte), its length (4 bytes, big-endian) and its content. Numbers are whole, not
 * negative, and take 8 bytes. For what is hashed, or authenticated along with something sealed.
 */
export function encodeFields(...fields: readonly Field[]): Uint8Array {
  const contents = fields.map(contentOf)
  const encoded = new Uint8Array(contents.reduce((length, content) => length + HEAD_BYTES + content.length, 0))
  const view = new DataView(encoded.buffer)
  let at = 0
  for (const [i, content] of contents.entries()) {
    encoded[at] = tagOf(fields[i]!)
    view.setUint32(at + 1, content.length)
    encoded.set(content, at + HEAD_BYTES)
    at += HEAD_BYTES + content.length
  }
  return encoded
}

const HEAD_BYTES = 5

const tagOf = (field: Field) => (typeof field === 'string' ? TAGS.string : typeof field === 'number' ? TAGS.number : TAGS.bytes)

function contentOf(field: Field): Uint8Array {
  if (typeof field === 'string') return utf8ToBytes(field)
  if (field instanceof Uint8Array) return field
  if (!Number.isSafeInteger(field) || field < 0) throw new RangeError('a field must be a whole number, not negative')
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(field))
  return bytes
}
