import test from 'ava'
import fc from 'fast-check'
import { createSortedEntries, type Range } from './sorted-entries.ts'

type Pair = readonly [number, number]

const compare = (a: Pair, b: Pair): number => a[0] - b[0] || a[1] - b[1]
const create = () =>
  createSortedEntries<Pair>(compare, (entry, prefix) => {
    for (const [i, value] of prefix.entries()) if (entry[i] !== value) return entry[i]! - (value as number)
    return 0
  })

const ALL: Range = { low: { prefix: [], inclusive: true }, high: { prefix: [], inclusive: true } }

test('entries stay in order through thousands of insertions and removals', (t) => {
  const entries = create()
  const expected: Pair[] = []
  for (let i = 0; i < 5_000; i++) expected.push([(i * 7_919) % 5_003, i])
  for (const entry of expected) entries.insert(entry)
  for (const entry of expected.splice(1_000, 2_500)) entries.remove(entry)
  entries.remove([-1, -1])
  expected.sort(compare)
  t.is(entries.size, expected.length)
  t.deepEqual([...entries.scan(ALL)], expected)
  t.deepEqual([...entries.scan(ALL, true)], expected.toReversed())
})

test('a scan gives exactly the entries within its bounds, in both directions', (t) => {
  const pair = fc.tuple(fc.nat(6), fc.nat(6))
  const bound = fc.record({ prefix: fc.array(fc.nat(6), { maxLength: 2 }), inclusive: fc.boolean() })
  fc.assert(
    fc.property(fc.uniqueArray(pair, { selector: String, maxLength: 40 }), bound, bound, (pairs, low, high) => {
      const entries = create()
      for (const entry of pairs) entries.insert(entry)
      const against = (entry: Pair, prefix: readonly number[]) => {
        for (const [i, value] of prefix.entries()) if (entry[i] !== value) return entry[i]! - value
        return 0
      }
      const expected = pairs
        .filter(
          (entry) => against(entry, low.prefix) >= (low.inclusive ? 0 : 1) && against(entry, high.prefix) <= (high.inclusive ? 0 : -1),
        )
        .sort(compare)
      t.deepEqual([...entries.scan({ low, high })], expected)
      t.deepEqual([...entries.scan({ low, high }, true)], expected.toReversed())
    }),
  )
})
