import test from 'ava'
import type { ProposedEvent } from './event.ts'
import { decodeRecord, encodeRecords } from './record-codec.ts'

const event = (n: number, bytes = 3): ProposedEvent => ({
  id: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
  type: `größe-${n}`,
  json: n % 2 === 0,
  data: Buffer.alloc(bytes, n),
  metadata: Buffer.from([n]),
})

test('what is decoded is what was encoded', (t) => {
  const events = [event(1), event(2, 0), event(3)]
  const [record] = encodeRecords(events)
  t.is(record?.count, 3)
  t.deepEqual(decodeRecord(record!.payload, 0, 3), events)
})

test('some events of a record can be decoded alone', (t) => {
  const [record] = encodeRecords([event(1), event(2), event(3)])
  t.deepEqual(decodeRecord(record!.payload, 1, 1), [event(2)])
  t.deepEqual(decodeRecord(record!.payload, 2, 9), [event(3)])
  t.deepEqual(decodeRecord(record!.payload, 3, 1), [])
})

test('large appends are split, and a larger event has a record of its own', (t) => {
  const sizes = [10, 20_000, 20_000, 500_000, 10]
  const records = encodeRecords(sizes.map((size, n) => event(n, size)))
  t.deepEqual(
    records.map(({ count }) => count),
    [2, 1, 1, 1],
  )
})
