import test from 'ava'
import fc from 'fast-check'
import type { Moved } from './evaluate.ts'
import { forgotten, type History, MAX_ENTRIES, movedIn, noted } from './history.ts'
import { MAX_WINDOW_SECONDS } from './rules.ts'

const moved = (at: number, amount = 1n, asset = 'a', usdCents: bigint | null = amount): Moved => ({ asset, at, amount, usdCents })
const all = (entries: readonly Moved[]): History => entries.reduce<History>((history, each) => noted(history, each)!, [])
const countedSince = (history: History, from: number) =>
  movedIn(history).reduce((sum, { at, amount }) => (at > from ? sum + amount : sum), 0n)

test('what is noted is there as long as the longest window, and then it is not', (t) => {
  const history = all([moved(0), moved(5_000, 7n)])
  t.deepEqual(movedIn(history), [moved(0), moved(5_000, 7n)])
  t.deepEqual(movedIn(noted(history, moved(MAX_WINDOW_SECONDS * 1000))!), [moved(5_000, 7n), moved(MAX_WINDOW_SECONDS * 1000)])
})

test('however much is moved, no more is kept than a bound; what is put together counts for longer, never shorter', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 600_000 }), { minLength: 1, maxLength: 4_000 }),
      fc.integer({ min: 1, max: 10_000_000 }),
      (steps, window) => {
        let at = 0
        const entries = steps.map((step) => {
          at += step
          return moved(at)
        })
        const history = all(entries)
        const from = at - window
        const really = entries.filter((entry) => entry.at > from).length
        return history.length <= MAX_ENTRIES && countedSince(history, from) >= BigInt(really)
      },
    ),
    { numRuns: 15 },
  )
  t.pass()
})

test('a busy wallet is still counted to about a minute', (t) => {
  const entries = Array.from({ length: 5_000 }, (_, index) => moved(index * 1_000))
  const history = all(entries)
  t.true(history.length <= MAX_ENTRIES)
  const from = 5_000_000 - 3_600_000
  t.true(countedSince(history, from) - 3_600n <= 120n)
})

test('more assets than can be kept apart are not noted at all', (t) => {
  let history: History | undefined = []
  for (let index = 0; index < MAX_ENTRIES; index++) history = noted(history!, moved(index, 1n, `asset ${index}`))
  t.is(noted(history!, moved(2_000, 1n, 'one more')), undefined)
  t.is(noted(history!, moved(2_000, 1n, 'asset 5'))?.length, MAX_ENTRIES)
})

test('what came to nothing is forgotten, of its asset alone', (t) => {
  const history = all([moved(1, 5n), moved(2, 5n, 'b'), moved(3, 5n, 'a', null), moved(4, 5n)])
  t.deepEqual(movedIn(forgotten(history, moved(1, 5n))), [moved(2, 5n, 'b'), moved(3, 5n, 'a', null), moved(4, 5n)])
  t.deepEqual(movedIn(forgotten(history, moved(3, 5n, 'a', null))), [moved(1, 5n), moved(2, 5n, 'b'), moved(4, 5n)])
  t.deepEqual(forgotten(history, moved(9, 5n)), history)
})

test('it is forgotten of what it was put together with, too', (t) => {
  const entries = Array.from({ length: MAX_ENTRIES + 1 }, (_, index) => moved(index, 2n))
  const history = all(entries)
  const after = forgotten(history, entries[7]!)
  t.is(
    movedIn(after).reduce((sum, { amount }) => sum + amount, 0n),
    2n * BigInt(MAX_ENTRIES),
  )
  t.is(
    movedIn(after).reduce((sum, { usdCents }) => sum + usdCents!, 0n),
    2n * BigInt(MAX_ENTRIES),
  )
})
