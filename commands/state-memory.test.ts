import test from 'ava'
import { absent, type Loaded } from './aggregate.ts'
import { stateMemory } from './state-memory.ts'
import { counterTo } from './testing/counter.ts'

const stateOf = (text: string): Loaded<unknown> => ({ ...absent(counterTo(1)), state: text, revision: 1n })

test('what has not been asked for for longest is forgotten first, and what is too large at once', (t) => {
  const memory = stateMemory({ maxCharacters: 3_000 })
  const state = stateOf('x'.repeat(400))
  for (const stream of ['a', 'b', 'c']) memory.set(stream, state)
  t.is(memory.get('a'), state)
  memory.set('d', state)
  t.deepEqual(
    ['a', 'b', 'c', 'd'].map((stream) => memory.get(stream) !== undefined),
    [true, false, true, true],
  )
  memory.set('large', stateOf('x'.repeat(5_000)))
  t.is(memory.get('large'), undefined)
})

test('a state that is remembered again takes the place of the former', (t) => {
  const memory = stateMemory({ maxCharacters: 2_000 })
  memory.set('other', stateOf('other'))
  for (let i = 0; i < 100; i++) memory.set('a', stateOf(`state ${i}`))
  t.is(memory.get('a')?.state, 'state 99')
  t.is(memory.get('other')?.state, 'other')
})
