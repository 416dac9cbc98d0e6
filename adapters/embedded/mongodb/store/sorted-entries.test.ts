import test from 'ava'
import fc from 'fast-check'
import { createSortedEntries } from './sorted-entries.ts'

type Pair = readonly [key: string, id: number]

const compare = (a: Pair, b: Pair): number => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] - b[1])

const ALL = { low: '', high: '\uffff' }

test('entries stay in order through thousands of insertions and removals', (t) => {
  const entries = createSortedEntries()
  const expected: Pair[] = []
  for (let i = 0; i < 5_000; i++) expected.push([String((i * 7_919) % 2_503), i])
  for (const [key, id] of expected) entries.insert(key, id)
  for (const [key, id] of expected.splice(1_000, 2_500)) entries.remove(key, id)
  entries.remove('none', 1)
  entries.remove(expected[0]![0], -1)
  const inOrder = expected.sort(compare).map(([, id]) => id)
  t.is(entries.size, inOrder.length)
  t.deepEqual([...entries.scan(ALL)], inOrder)
  t.deepEqual([...entries.scan(ALL, true)], inOrder.toReversed())
})

test('entries that come in order fill their blocks, and those that come backwards are in order too', (t) => {
  const entries = createSortedEntries()
  const keys = Array.from({ length: 2_000 }, (_, i) => String(i).padStart(5, '0'))
  for (const [i, key] of keys.entries()) entries.insert(key, i)
  for (const [i, key] of keys.toReversed().entries()) entries.insert(`-${key}`, i)
  t.deepEqual([...entries.scan({ low: '0', high: '1' })], [...keys.keys()])
  t.deepEqual([...entries.scan({ low: '-', high: '0' })], [...keys.keys()].toReversed())
})

test('a scan gives exactly the entries within its bounds, in both directions', (t) => {
  const key = fc.string({ unit: fc.constantFrom('a', 'b', '\u0000', '\u00ff'), maxLength: 3 })
  fc.assert(
    fc.property(fc.array(key, { maxLength: 40 }), key, key, (keys, low, high) => {
      const entries = createSortedEntries()
      for (const [id, each] of keys.entries()) entries.insert(each, id)
      const expected = [...keys.entries()]
        .map(([id, each]): Pair => [each, id])
        .filter(([each]) => each >= low && each < high)
        .sort(compare)
        .map(([, id]) => id)
      t.deepEqual([...entries.scan({ low, high })], expected)
      t.deepEqual([...entries.scan({ low, high }, true)], expected.toReversed())
    }),
  )
})
