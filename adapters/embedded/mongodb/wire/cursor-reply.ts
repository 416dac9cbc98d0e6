/** A batch of a cursor's documents, each already BSON. */
export type CursorBatch = { field: 'firstBatch' | 'nextBatch'; id: bigint; namespace: string; documents: readonly Uint8Array[] }

const DOUBLE = 0x01
const STRING = 0x02
const DOCUMENT = 0x03
const ARRAY = 0x04
const INT64 = 0x12
const END = Buffer.alloc(1)

const element = (type: number, name: string, value: Uint8Array): Uint8Array[] => [
  Buffer.from(`${String.fromCharCode(type)}${name}\0`),
  value,
]

function document(parts: readonly Uint8Array[]): Buffer {
  const size = parts.reduce((sum, part) => sum + part.length, 5)
  const length = Buffer.alloc(4)
  length.writeInt32LE(size)
  return Buffer.concat([length, ...parts, END], size)
}

function int64(value: bigint): Buffer {
  const buffer = Buffer.alloc(8)
  buffer.writeBigInt64LE(value)
  return buffer
}

function string(value: string): Buffer {
  const text = Buffer.from(`${value}\0`)
  const length = Buffer.alloc(4)
  length.writeInt32LE(text.length)
  return Buffer.concat([length, text])
}

const ONE = Buffer.alloc(8)
ONE.writeDoubleLE(1)

/** `{cursor: {<field>: […], id, ns}, ok: 1}`, without decoding and encoding the documents again. */
export function encodeCursorReply({ field, id, namespace, documents }: CursorBatch): Buffer {
  const batch = document(documents.flatMap((each, i) => element(DOCUMENT, String(i), each)))
  const cursor = document([
    ...element(ARRAY, field, batch),
    ...element(INT64, 'id', int64(id)),
    ...element(STRING, 'ns', string(namespace)),
  ])
  return document([...element(DOCUMENT, 'cursor', cursor), ...element(DOUBLE, 'ok', ONE)])
}
