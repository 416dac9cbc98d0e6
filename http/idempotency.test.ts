import test from 'ava'
import { commandIdOf, inFlightGuard, requestDigestOf } from './idempotency.ts'
import { Problem } from './problem.ts'

const alice = { sub: 'alice', tenant: 'acme', roles: [] }

test('a command id stays what it was across versions of this program', (t) => {
  t.is(commandIdOf(alice, 'POST', '/v1/wallets', 'k'), '46240815-3824-5e52-b85a-7d2be50616c5')
})

test('nothing can move from one part to the next and make the same id or digest', (t) => {
  const ids = [
    commandIdOf(alice, 'POST', '/v1/wallets', 'k'),
    commandIdOf({ ...alice, sub: 'alic', tenant: 'acmee' }, 'POST', '/v1/wallets', 'k'),
    commandIdOf({ ...alice, tenant: 'acmealice', sub: '' }, 'POST', '/v1/wallets', 'k'),
    commandIdOf(alice, 'POST', '/v1/wallet', 'sk'),
  ]
  t.is(new Set(ids).size, ids.length)
  t.not(requestDigestOf('POST', '/a', Buffer.from('bc')), requestDigestOf('POST', '/ab', Buffer.from('c')))
  t.not(requestDigestOf('POST', '/a', Buffer.from('b')), requestDigestOf('POST', '/a', Buffer.from('c')))
  const digests = [undefined, Buffer.alloc(32, 1), Buffer.alloc(32, 2)].map((key) => requestDigestOf('POST', '/a', Buffer.from('b'), key))
  t.is(new Set(digests).size, 3)
})

test('a command is let through again once the first is done, also when it failed', async (t) => {
  const guard = inFlightGuard()
  const first = guard('c', () => Promise.reject(new Error('no')))
  const error = await t.throwsAsync(
    guard('c', async () => 1),
    { instanceOf: Problem },
  )
  t.is(error?.code, 'idempotency_key_in_flight')
  await t.throwsAsync(first, { message: 'no' })
  t.is(await guard('c', async () => 2), 2)
})
