import test from 'ava'
import { deserialize, serialize } from 'bson'
import { createCursors } from './cursors.ts'
import { CommandError } from './errors.ts'

type Reply = { cursor: { id: number; firstBatch?: object[]; nextBatch?: object[] } }

const read = (reply: Uint8Array): Reply['cursor'] => (deserialize(reply) as Reply).cursor

const numbers = (count: number) => Array.from({ length: count }, (_, n) => serialize({ n }))

test('results come in batches until there are none', (t) => {
  const cursors = createCursors(() => 0)
  const { id, firstBatch } = read(cursors.open('d.c', numbers(5), { batchSize: 2 }))
  t.deepEqual(firstBatch, [{ n: 0 }, { n: 1 }])
  t.deepEqual(read(cursors.more(id, 'd.c', 2)).nextBatch, [{ n: 2 }, { n: 3 }])
  const last = read(cursors.more(id, 'd.c', 2))
  t.deepEqual([last.id, last.nextBatch], [0, [{ n: 4 }]])
  t.throws(() => cursors.more(id, 'd.c'), { instanceOf: CommandError, message: /not found/ })
})

test('nothing stays open behind the last document, nor behind a single batch', (t) => {
  const cursors = createCursors(() => 0)
  t.is(read(cursors.open('d.c', numbers(2), { batchSize: 2 })).id, 0)
  t.is(read(cursors.open('d.c', numbers(9), { batchSize: 2, singleBatch: true })).id, 0)
})

test('a batch stays below 16 MiB, but always makes progress', (t) => {
  const cursors = createCursors(() => 0)
  const large = Array.from({ length: 3 }, () => serialize({ pad: 'x'.repeat(9 * 1024 * 1024) }))
  const { id, firstBatch } = read(cursors.open('d.c', large, {}))
  t.is(firstBatch?.length, 1)
  t.is(read(cursors.more(id, 'd.c')).nextBatch?.length, 1)
})

test('a cursor belongs to its namespace and can be killed once', (t) => {
  const cursors = createCursors(() => 0)
  const { id } = read(cursors.open('d.c', numbers(5), { batchSize: 1 }))
  t.throws(() => cursors.more(id, 'd.other'), { instanceOf: CommandError })
  t.false(cursors.kill(id, 'd.other'))
  t.true(cursors.kill(id, 'd.c'))
  t.false(cursors.kill(id, 'd.c'))
})

test('cursors are bounded in number, and forgotten after ten idle minutes', (t) => {
  let now = 0
  const cursors = createCursors(() => now)
  const open = () => read(cursors.open('d.c', numbers(5), { batchSize: 1 })).id
  const first = open()
  for (let i = 1; i < 1_000; i++) open()
  t.throws(open, { instanceOf: CommandError, message: /at most/ })
  now = 10 * 60_000 + 1
  cursors.expire()
  t.is(cursors.size, 0)
  t.notThrows(open)
  t.throws(() => cursors.more(first, 'd.c'), { instanceOf: CommandError })
})
