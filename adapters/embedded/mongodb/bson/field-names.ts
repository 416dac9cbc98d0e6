/** Names that were seen before, so that the few names of many documents are not decoded again and again. A power of two. */
const REMEMBERED = 4_096
const MAX_REMEMBERED_BYTES = 64

const names = new Array<string | undefined>(REMEMBERED)

function spells(name: string, bytes: Buffer, from: number, length: number): boolean {
  if (name.length !== length) return false
  for (let i = 0; i < length; i++) if (name.charCodeAt(i) !== bytes[from + i]) return false
  return true
}

/** The name in `bytes` from `from` up to `end`. A name outside ASCII is never equal to its own bytes, and so decoded each time. */
export function readFieldName(bytes: Buffer, from: number, end: number): string {
  const length = end - from
  if (length > MAX_REMEMBERED_BYTES) return bytes.toString('utf8', from, end)
  let hash = length
  for (let i = from; i < end; i++) hash = (Math.imul(hash, 31) + bytes[i]!) | 0
  const place = hash & (REMEMBERED - 1)
  const known = names[place]
  if (known !== undefined && spells(known, bytes, from, length)) return known
  const name = bytes.toString('utf8', from, end)
  names[place] = name
  return name
}
