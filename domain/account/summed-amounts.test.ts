import test from 'ava'
import fc from 'fast-check'
import { additionOf, sumOf } from './summed-amounts.ts'

/** What a store makes of additions. */
function added(amounts: readonly bigint[]): { [index: string]: number } {
  const groups: { [index: string]: number } = {}
  for (const amount of amounts)
    for (const [path, group] of Object.entries(additionOf('sum', amount))) {
      const index = path.slice('sum.'.length)
      groups[index] = (groups[index] ?? 0) + group
    }
  return groups
}

test('amounts of any size, in and out, make what they make together', (t) => {
  const amount = fc.bigInt({ min: -(2n ** 256n), max: 2n ** 256n })
  fc.assert(
    fc.property(fc.array(amount, { maxLength: 50 }), (amounts) => {
      t.is(
        sumOf(added(amounts)),
        amounts.reduce((sum, each) => sum + each, 0n),
      )
    }),
  )
})

test('nothing adds nothing, and what is not there is nothing', (t) => {
  t.deepEqual(additionOf('sum', 0n), {})
  t.is(sumOf(undefined), 0n)
})

test('only groups that are not zero are written', (t) => {
  t.deepEqual(additionOf('available', 10n ** 18n), { 'available.3': 1 })
  t.deepEqual(additionOf('available', -1_000_001n), { 'available.0': -1, 'available.1': -1 })
})
