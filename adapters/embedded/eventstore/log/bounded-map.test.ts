import test from 'ava'
import { createBoundedMap } from './bounded-map.ts'

test('the newest half is always remembered, what is older than the limit never', (t) => {
  const map = createBoundedMap<number, string>(10)
  for (let n = 0; n < 100; n += 1) {
    map.set(n, `value ${n}`)
    for (let back = 0; back < 5 && back <= n; back += 1) t.is(map.get(n - back), `value ${n - back}`)
    t.is(map.get(n - 10), undefined)
  }
})

test('an entry that is set again has its new value', (t) => {
  const map = createBoundedMap<string, number>(4)
  for (const [key, value] of [
    ['a', 1],
    ['b', 2],
    ['c', 3],
    ['a', 4],
  ] as const) {
    map.set(key, value)
  }
  t.is(map.get('a'), 4)
})
