/** A batch of a cursor's documents, each already BSON. */
export type CursorBatch = { field: 'firstBatch' | 'nextBatch'; id: bigint; namespace: string; documents: readonly Uint8Array[] }

const DOUBLE = 0x01
const STRING = 0x02
const DOCUMENT = 0x03
const ARRAY = 0x04
const INT64 = 0x12

/** Length and terminator of a document. */
const FRAME = 5

/** Type and terminator of a name. */
const HEAD = 2

/** Digits of all the indexes below `count`. */
function digitsBelow(count: number): number {
  let digits = 0
  for (let first = 0, width = 1; first < count; first = 10 ** width++) digits += (Math.min(count, 10 ** width) - first) * width
  return digits
}

/** `{cursor: {<field>: […], id, ns}, ok: 1}`, without decoding and encoding the documents again. */
export function encodeCursorReply({ field, id, namespace, documents }: CursorBatch): Buffer {
  const batchBytes = documents.reduce((sum, { length }) => sum + HEAD + length, FRAME + digitsBelow(documents.length))
  const namespaceBytes = Buffer.byteLength(namespace) + 1
  const cursorBytes = FRAME + (HEAD + field.length + batchBytes) + (HEAD + 'id'.length + 8) + (HEAD + 'ns'.length + 4 + namespaceBytes)
  const replyBytes = FRAME + (HEAD + 'cursor'.length + cursorBytes) + (HEAD + 'ok'.length + 8)
  const reply = Buffer.allocUnsafe(replyBytes)
  let at = 0

  function head(type: number, name: string): void {
    reply[at++] = type
    for (let i = 0; i < name.length; i++) reply[at++] = name.charCodeAt(i)
    reply[at++] = 0
  }

  at = reply.writeInt32LE(replyBytes, at)
  head(DOCUMENT, 'cursor')
  at = reply.writeInt32LE(cursorBytes, at)
  head(ARRAY, field)
  at = reply.writeInt32LE(batchBytes, at)
  for (let i = 0; i < documents.length; i++) {
    head(DOCUMENT, String(i))
    reply.set(documents[i]!, at)
    at += documents[i]!.length
  }
  reply[at++] = 0
  head(INT64, 'id')
  at = reply.writeBigInt64LE(id, at)
  head(STRING, 'ns')
  at = reply.writeInt32LE(namespaceBytes, at)
  at += reply.write(namespace, at)
  reply[at++] = 0
  reply[at++] = 0
  head(DOUBLE, 'ok')
  at = reply.writeDoubleLE(1, at)
  reply[at] = 0
  return reply
}
