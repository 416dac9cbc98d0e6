import test from 'ava'
import { createPartyChoice } from './party-choice.ts'

test('parties that are up come first, then those without a recent failure', (t) => {
  const down = new Set(['b', 'd'])
  const choice = createPartyChoice({ isUp: (id) => !down.has(id) })
  choice.failed('a', 'absent')
  choice.failed('b', 'absent')
  for (let i = 0; i < 20; i++) t.deepEqual(choice.rank(['a', 'b', 'c', 'd'], 2), ['c', 'a', 'd', 'b'])
})

test('among equals each comes first at some time', (t) => {
  const choice = createPartyChoice({ isUp: () => true })
  const first = new Set(Array.from({ length: 200 }, () => choice.rank(['a', 'b', 'c'], 2)[0]))
  t.is(first.size, 3)
})
