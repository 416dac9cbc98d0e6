import test from 'ava'
import type { Opened } from '../domain/threshold/protocol.ts'
import { createNoncePool, type NoncePoolOptions } from './nonce-pool.ts'

function pool(options: Partial<NoncePoolOptions> = {}) {
  const wiped: string[] = []
  const nonces = createNoncePool({ ttlMs: 60_000, ...options })
  const opened = (name: string): Opened => ({
    broadcast: new Uint8Array(),
    contribute: () => new Uint8Array(),
    destroy: () => wiped.push(name),
  })
  const keep = (name: string, { keyId = 'key', epoch = 1, tier = 10 } = {}) => nonces.keep({ keyId, epoch, opened: opened(name) }, tier).id
  return { nonces, keep, wiped }
}

test('nonces are handed out once', (t) => {
  const { nonces, keep, wiped } = pool()
  const id = keep('a')
  t.truthy(nonces.take(id))
  t.is(nonces.take(id), undefined)
  t.is(nonces.take(new Uint8Array(16)), undefined)
  t.deepEqual(nonces.counts('key'), { generated: 1, consumed: 1, expired: 0 })
  t.deepEqual(wiped, [])
})

test('ids are random, 16 bytes', (t) => {
  const { keep } = pool()
  const ids = Array.from({ length: 10 }, () => keep('a'))
  t.true(ids.every((id) => id.length === 16))
  t.is(new Set(ids.map(String)).size, 10)
})

test('of a key there are as many as its tier and the allowance; the oldest goes, and is wiped', (t) => {
  const { nonces, keep, wiped } = pool({ allowance: 1 })
  const ids = ['a', 'b', 'c'].map((name) => keep(name, { tier: 2 }))
  keep('other', { keyId: 'other', tier: 2 })
  t.deepEqual(wiped, [])
  keep('d', { tier: 2 })
  t.deepEqual(wiped, ['a'])
  t.is(nonces.take(ids[0]!), undefined)
  t.truthy(nonces.take(ids[1]!))
  t.is(nonces.held, 3)
})

test('of all keys together there is a bound', (t) => {
  const { nonces, keep, wiped } = pool({ maxHeld: 2 })
  for (const keyId of ['one', 'two', 'three']) keep(keyId, { keyId })
  t.deepEqual(wiped, ['one'])
  t.is(nonces.held, 2)
})

test('nonces that have expired are not handed out, whatever the timer does, and are wiped', (t) => {
  let now = 0
  const { nonces, keep, wiped } = pool({ ttlMs: 1_000, now: () => now })
  const id = keep('a')
  now = 1_000
  t.is(nonces.take(id), undefined)
  t.deepEqual(wiped, ['a'])
  t.deepEqual(nonces.counts('key'), { generated: 1, consumed: 0, expired: 1 })
})

test('nonces that nobody asks for are wiped on time', async (t) => {
  const ttlMs = 100
  const { nonces, keep, wiped } = pool({ ttlMs })
  const began = Date.now()
  keep('a')
  keep('b')
  while (nonces.held > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  t.deepEqual(wiped, ['a', 'b'])
  t.true(Date.now() - began >= ttlMs)
})

test('a key that is revoked, or has come into a new epoch, has no nonces left', (t) => {
  const { nonces, keep, wiped } = pool()
  keep('a')
  keep('other', { keyId: 'other' })
  nonces.wipe('key')
  t.deepEqual(wiped, ['a'])
  keep('b')
  keep('c', { epoch: 2 })
  t.deepEqual(wiped, ['a', 'b'])
  t.is(nonces.held, 2)
})

test('nothing is left when the party ends', (t) => {
  const { nonces, keep, wiped } = pool()
  nonces.drop(keep('a'))
  keep('b')
  nonces.close()
  t.deepEqual(wiped, ['a', 'b'])
  t.is(nonces.held, 0)
})
