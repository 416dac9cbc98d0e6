import test from 'ava'
import fc from 'fast-check'
import { createRecords, type RecordId } from './records.ts'

/** The shape of BSON as far as records care: a length, then anything. */
function document(fill: number, length: number): Buffer {
  const bytes = Buffer.alloc(length, fill)
  bytes.writeInt32LE(length, 0)
  return bytes
}

const action = fc.record({
  kind: fc.constantFrom('insert', 'insert', 'replace', 'remove'),
  which: fc.nat(1_000),
  length: fc.oneof(fc.integer({ min: 5, max: 600 }), fc.constantFrom(5_000, 40_000)),
})

test('records are what was last written, in the order of insertion, through any number of changes', (t) => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 300 }), (actions) => {
      const records = createRecords()
      const expected = new Map<RecordId, Buffer>()
      for (const [i, { kind, which, length }] of actions.entries()) {
        const id = [...expected.keys()][which % Math.max(expected.size, 1)]
        const bytes = document(i, length)
        if (kind === 'insert' || id === undefined) expected.set(records.insert(bytes), bytes)
        else if (kind === 'replace') {
          records.replace(id, bytes)
          expected.set(id, bytes)
        } else {
          records.remove(id)
          expected.delete(id)
        }
      }
      t.deepEqual([...records.ids()], [...expected.keys()])
      t.is(records.size, expected.size)
      t.deepEqual([...records.snapshot([...records.ids()])].map(String), [...expected.values()].map(String))
      for (const [id, bytes] of expected) t.is(records.lengthOf(id), bytes.length)
    }),
  )
})

test('a snapshot stays what it was, whatever is written after it', (t) => {
  const records = createRecords()
  const ids = Array.from({ length: 2_000 }, (_, i) => records.insert(document(i, 100)))
  const snapshot = records.snapshot(ids)
  for (let round = 0; round < 20; round++) for (const id of ids) records.replace(id, document(99, 300))
  for (const id of ids) records.remove(id)
  t.deepEqual(
    [...snapshot].map((bytes) => bytes[10]),
    ids.map((_, i) => i % 256),
  )
})

test('memory follows what is stored, not what was written', (t) => {
  const records = createRecords()
  const ids = Array.from({ length: 1_000 }, (_, i) => records.insert(document(i, 1_000)))
  for (let i = 0; i < 300_000; i++) records.replace(ids[i % 7 === 0 ? i % 1_000 : i % 10]!, document(i, 1_000))
  t.is(records.size, 1_000)
  t.true(records.allocatedBytes < 5 * 1024 * 1024, `${records.allocatedBytes} bytes for 1 MB; 300 MB were written`)
})
