import test from 'ava'
import type { Opening } from '../../domain/ceremony/opening.ts'
import { createStock } from './stock.ts'

let drawn = 0
const opening = (partyId: string, { epoch = 1, expiresAt = 60_000 } = {}): Opening => ({
  id: Uint8Array.of(drawn++),
  partyId,
  keyId: 'key',
  epoch,
  broadcast: new Uint8Array(),
  expiresAt,
  signature: new Uint8Array(),
})
const key = { keyId: 'key', epoch: 1 }

test('an opening is taken once, the oldest first', (t) => {
  const stock = createStock({ now: () => 0 })
  const [first, second] = [opening('a'), opening('a')]
  stock.add([[first], [second], [opening('b')]])
  t.is(stock.size, 3)
  t.deepEqual(stock.take(key, ['a']), [first])
  t.deepEqual(stock.take(key, ['a']), [second])
  t.is(stock.take(key, ['a']), undefined)
  t.is(stock.held(key, ['b']), 1)
  t.deepEqual(stock.takeCounts('key'), { generated: 3, consumed: 2, expired: 0 })
  t.is(stock.takeCounts('key'), undefined)
})

test('openings that will soon have expired are not taken', (t) => {
  let now = 0
  const stock = createStock({ now: () => now })
  stock.add([[opening('a', { expiresAt: 10_000 })], [opening('a', { expiresAt: 20_000 })], [opening('b', { expiresAt: 10_000 })]])
  now = 6_000
  t.is(stock.held(key, ['a']), 1)
  t.is(stock.take(key, ['a'])?.[0]?.expiresAt, 20_000)
  stock.expire()
  t.is(stock.size, 0)
  t.deepEqual(stock.takeCounts('key'), { generated: 3, consumed: 1, expired: 2 })
})

test('openings of another epoch are neither given out nor kept beside newer ones', (t) => {
  const stock = createStock({ now: () => 0 })
  stock.add([[opening('a')]])
  t.is(stock.take({ keyId: 'key', epoch: 2 }, ['a']), undefined)
  stock.add([[opening('b', { epoch: 2 })], [opening('b')]])
  t.is(stock.held(key, ['a']), 0)
  t.is(stock.held({ keyId: 'key', epoch: 2 }, ['b']), 1)
  t.is(stock.size, 1)
  t.deepEqual(stock.takeCounts('key'), { generated: 3, consumed: 0, expired: 2 })
})

test('what one party has given is dropped, or what all have', (t) => {
  const stock = createStock({ now: () => 0 })
  stock.add([[opening('a')], [opening('b')], [opening('c')]])
  stock.drop('key', 'a')
  t.is(stock.held(key, ['a']), 0)
  t.is(stock.held(key, ['b']), 1)
  stock.drop('key')
  t.is(stock.size, 0)
  t.deepEqual(stock.takeCounts('key'), { generated: 3, consumed: 0, expired: 3 })
})

test('what parties have opened together is found by all of them, in whatever order, expires with the first, and goes with any of them', (t) => {
  let now = 0
  const stock = createStock({ now: () => now })
  const lot = [opening('a'), opening('b')]
  stock.add([lot, [opening('a'), opening('c')]])
  t.is(stock.size, 4)
  t.is(stock.held(key, ['a']), 0)
  t.is(stock.take(key, ['b', 'a']), lot)
  t.is(stock.take(key, ['b', 'a']), undefined)
  stock.drop('key', 'c')
  t.is(stock.size, 0)
  stock.add([[opening('a'), opening('b', { expiresAt: 10_000 })]])
  now = 6_000
  t.is(stock.held(key, ['a', 'b']), 0)
  t.deepEqual(stock.takeCounts('key'), { generated: 6, consumed: 2, expired: 4 })
})
