import test from 'ava'
import { boundedMemory, weightOf } from './bounded-memory.ts'

test('what was set longest ago is forgotten when all of it weighs too much', (t) => {
  const memory = boundedMemory<string>(10)
  memory.set('a', 'A', 4)
  memory.set('b', 'B', 4)
  memory.set('a', 'A2', 4)
  memory.set('c', 'C', 4)
  t.deepEqual([memory.get('a'), memory.get('b'), memory.get('c')], ['A2', undefined, 'C'])
  memory.set('d', 'D', 10)
  t.deepEqual([memory.get('a'), memory.get('c'), memory.get('d')], [undefined, undefined, 'D'])
})

test('what weighs too much alone is not kept, nor what was there before it', (t) => {
  const memory = boundedMemory<string>(10)
  memory.set('a', 'A', 4)
  memory.set('b', 'B', 4)
  memory.set('a', 'A2', 11)
  t.deepEqual([memory.get('a'), memory.get('b')], [undefined, 'B'])
  memory.delete('b')
  memory.set('c', 'C', 10)
  t.is(memory.get('c'), 'C')
})

test('a value weighs at least what its text does', (t) => {
  const value = { name: 'x'.repeat(1_000), list: ['y'.repeat(500), 1, null], nested: { deep: 'z'.repeat(300) } }
  t.true(weightOf(value) >= JSON.stringify(value).length)
  t.true(weightOf(Array.from({ length: 1_000 }, () => 0)) >= 8_000)
})
