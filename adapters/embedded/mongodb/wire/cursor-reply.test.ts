import test from 'ava'
import { deserialize, Long, serialize } from 'bson'
import { encodeCursorReply } from './cursor-reply.ts'

test('a batch is the same BSON that a codec would write', (t) => {
  const documents = Array.from({ length: 12 }, (_, i) => ({ _id: i, text: 'ü'.repeat(i) }))
  const batch = { field: 'nextBatch', id: 2n ** 40n, namespace: 'dß.c', documents: documents.map((each) => serialize(each)) } as const
  const cursor = { nextBatch: documents, id: Long.fromBigInt(2n ** 40n), ns: 'dß.c' }
  t.deepEqual(deserialize(encodeCursorReply(batch)), deserialize(serialize({ cursor, ok: 1 })))
  t.is(Buffer.compare(deserializeId(encodeCursorReply(batch)), Buffer.from([0x12])), 0)
})

/** The type byte of `cursor.id`: drivers insist on a 64-bit integer. */
function deserializeId(reply: Buffer): Buffer {
  const at = reply.indexOf('\x12id\0', 0, 'latin1')
  return reply.subarray(at, at + 1)
}
