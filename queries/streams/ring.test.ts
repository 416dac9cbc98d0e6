import test from 'ava'
import type { Entry } from './cloud-event.ts'
import { createRing } from './ring.ts'

const entry = (position: bigint, json = 'xx') => ({ position, json }) as Entry
const positions = (entries: readonly Entry[] | undefined) => entries?.map(({ position }) => position)

test('a reader gets what came after its position, in order, as long as nothing of that was dropped', (t) => {
  const ring = createRing(10n, { entries: 3, characters: 100 })
  t.deepEqual(ring.after(10n, 9), [])
  t.is(ring.after(9n, 9), undefined)
  for (const position of [20n, 30n, 40n]) ring.push(entry(position))
  t.deepEqual(positions(ring.after(10n, 9)), [20n, 30n, 40n])
  t.deepEqual(positions(ring.after(25n, 1)), [30n])
  ring.push(entry(50n))
  t.is(ring.after(10n, 9), undefined)
  t.deepEqual(positions(ring.after(20n, 9)), [30n, 40n, 50n])
  t.deepEqual(ring.after(50n, 9), [])
  t.is(ring.head(), 50n)
})

test('it is bounded by what it holds in characters as well', (t) => {
  const ring = createRing(-1n, { entries: 100, characters: 10 })
  for (let position = 1n; position <= 50n; position++) ring.push(entry(position, 'xxxx'))
  t.deepEqual(ring.size(), { entries: 2, characters: 8 })
  t.deepEqual(positions(ring.after(48n, 9)), [49n, 50n])
  t.is(ring.after(47n, 9), undefined)
})
