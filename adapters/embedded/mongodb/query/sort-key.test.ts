import test from 'ava'
import { Binary, Decimal128, Long, MaxKey, MinKey, ObjectId, Timestamp } from 'bson'
import fc from 'fast-check'
import { runs } from '../../../../test/runs.ts'
import { compareValues } from './order.ts'
import { keyAfter, sortKey, typeKey } from './sort-key.ts'

const special = fc.constantFrom<unknown>(
  new MinKey(),
  null,
  undefined,
  Number.NaN,
  Number.NEGATIVE_INFINITY,
  -0,
  0.5,
  2 ** 53,
  -(2 ** 63),
  Long.MAX_VALUE,
  Long.MIN_VALUE,
  Long.fromString('9007199254740993'),
  Long.fromString('-9007199254740993'),
  Decimal128.fromString('0.75'),
  '\0',
  '\0\0',
  'a\0',
  'a\0b',
  'é',
  '\uffff',
  '\u{10000}',
  new Binary(Buffer.from([0, 9])),
  new Binary(Buffer.from([1]), 4),
  new ObjectId('000000000000000000000001'),
  new ObjectId('ff0000000000000000000001'),
  new Date(0),
  new Date(-1),
  new Timestamp({ t: 1, i: 1 }),
  /a/i,
  new MaxKey(),
)
const value = fc.oneof(
  special,
  fc.double(),
  fc.integer(),
  fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map((each) => Long.fromBigInt(each)),
  fc.string({ unit: 'grapheme' }),
  fc.boolean(),
  fc.dictionary(fc.constantFrom('a', 'b', 'ab'), fc.oneof(fc.integer(), special), { maxKeys: 3, noNullPrototype: true }),
  fc.array(fc.oneof(fc.integer(), special, fc.string()), { maxLength: 3 }),
)

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

test('keys are in the order of their values', (t) => {
  fc.assert(
    fc.property(value, value, (a, b) => {
      const expected = Math.sign(compareValues(a, b))
      t.is(order(sortKey([a], [['f', 1]]), sortKey([b], [['f', 1]])), expected)
      t.is(order(sortKey([a], [['f', -1]]), sortKey([b], [['f', -1]])), expected === 0 ? 0 : -expected)
    }),
    { numRuns: runs(5_000) },
  )
})

test('keys of several fields compare field by field, each in its direction', (t) => {
  const fields = [
    ['f', 1],
    ['g', -1],
  ] as const
  fc.assert(
    fc.property(fc.tuple(value, value), fc.tuple(value, value), (a, b) => {
      const expected = Math.sign(compareValues(a[0], b[0])) || -Math.sign(compareValues(a[1], b[1]))
      t.is(order(sortKey(a, fields), sortKey(b, fields)), expected === 0 ? 0 : expected)
    }),
    { numRuns: runs(3_000) },
  )
})

test('the key of the first field begins the keys of all that share it, and of no others', (t) => {
  const fields = [
    ['f', 1],
    ['g', 1],
  ] as const
  fc.assert(
    fc.property(value, fc.tuple(value, value), (first, pair) => {
      const [prefix, key] = [sortKey([first], fields), sortKey(pair, fields)]
      t.is(key >= prefix && key < keyAfter(prefix), compareValues(first, pair[0]) === 0)
    }),
    { numRuns: runs(3_000) },
  )
})

test('keys of a type are told from those of other types, in both directions', (t) => {
  for (const direction of [1, -1] as const) {
    const fields = [['f', direction]] as const
    const numbers = typeKey([], 5, fields)
    const within = (each: unknown): boolean => sortKey([each], fields) >= numbers && sortKey([each], fields) < keyAfter(numbers)
    t.deepEqual([Number.NaN, -1, Long.MAX_VALUE, null, '', {}].map(within), [true, true, true, false, false, false])
  }
})
