import test from 'ava'
import { Binary, Decimal128, Long, MaxKey, MinKey, ObjectId, Timestamp } from 'bson'
import fc from 'fast-check'
import { compareValues } from './order.ts'

const ASCENDING: readonly unknown[] = [
  new MinKey(),
  null,
  Number.NaN,
  Number.NEGATIVE_INFINITY,
  Long.fromString('-9223372036854775808'),
  -1,
  0,
  0.5,
  Decimal128.fromString('0.75'),
  Long.fromNumber(1),
  2 ** 53,
  Long.fromString('9007199254740993'),
  Number.POSITIVE_INFINITY,
  '',
  'A',
  'a',
  'aa',
  {},
  { a: 1 },
  { a: 1, b: 1 },
  { a: 2 },
  { b: 1 },
  { a: 'x' },
  [],
  [1],
  [1, 2],
  [2],
  new Binary(Buffer.from([9])),
  new Binary(Buffer.from([1, 2])),
  new ObjectId('000000000000000000000001'),
  new ObjectId('000000000000000000000002'),
  false,
  true,
  new Date(0),
  new Date(1),
  new Timestamp({ t: 1, i: 1 }),
  /a/,
  new MaxKey(),
]

test('values are ordered by type, and within a type by value', (t) => {
  for (const [i, a] of ASCENDING.entries())
    for (const [j, b] of ASCENDING.entries()) t.is(Math.sign(compareValues(a, b)), Math.sign(i - j), `${String(a)} and ${String(b)}`)
})

test('a missing value is null, and numbers are equal whatever their type', (t) => {
  t.is(compareValues(undefined, null), 0)
  t.is(compareValues(Long.fromNumber(5), 5), 0)
  t.is(compareValues(Decimal128.fromString('5'), 5), 0)
})

test('the order is antisymmetric and transitive', (t) => {
  const value = fc.oneof(fc.constantFrom(...ASCENDING), fc.jsonValue({ maxDepth: 2 }))
  fc.assert(
    fc.property(value, value, value, (a, b, c) => {
      t.is(Math.sign(compareValues(a, b)), -Math.sign(compareValues(b, a)) || 0)
      const sorted = [a, b, c].sort(compareValues)
      t.true(compareValues(sorted[0], sorted[2]) <= 0)
    }),
  )
})
