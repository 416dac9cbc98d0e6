import test from 'ava'
import { fold } from '../decider.ts'
import { DomainError } from '../domain-error.ts'
import type { KeyShareEvent } from './events.ts'
import { type KeyShareCommand, keyShare, requireActiveKey } from './key-share.ts'

const authorisation = { method: 'POST', path: '/', body: '', intent: null }

const request = (overrides: Partial<Extract<KeyShareCommand, { type: 'RequestKeyGeneration' }>> = {}): KeyShareCommand => ({
  type: 'RequestKeyGeneration',
  keyId: 'k1',
  walletId: 'w1',
  tenant: 'acme',
  scheme: 'frost-ed25519',
  threshold: 2,
  parties: ['p1', 'p2', 'p3'],
  authorisation,
  policy: { version: 1, walletId: 'w1', clientKeys: [], rawDigests: false, approvals: null, presignatures: 10 },
  ...overrides,
})
const start = (attempt: number): KeyShareCommand => ({ type: 'StartKeyGeneration', attempt })
const complete = (attempt: number, packageDigests = ['d', 'd', 'd'], parties = ['p1', 'p2', 'p3']): KeyShareCommand => ({
  type: 'CompleteKeyGeneration',
  attempt,
  confirmations: parties.map((partyId, index) => ({ partyId, packageDigest: packageDigests[index] as string })),
  publicKey: 'pk',
  publicPackage: 'pp',
})

function after(...commands: readonly KeyShareCommand[]) {
  const events: KeyShareEvent[] = []
  for (const command of commands) events.push(...keyShare.decide(fold(keyShare, events), command))
  return { events, state: fold(keyShare, events) }
}

const refused = (code: string) => ({ instanceOf: DomainError, code }) as const

test('a key becomes active when every party has confirmed the same public package', (t) => {
  const { state, events } = after(request(), start(1), complete(1))
  t.like(requireActiveKey(state), { status: 'active', publicKey: 'pk', epoch: 1, attempt: 1 })
  t.is(events.filter(({ type }) => type === 'ShareGenerated').length, 3)
})

test('a party that is missing, counted twice, or of another mind keeps a key from becoming active', (t) => {
  t.throws(() => after(request(), start(1), complete(1, ['d', 'd'], ['p1', 'p2'])), refused('parties_invalid'))
  t.throws(() => after(request(), start(1), complete(1, ['d', 'd', 'd'], ['p1', 'p2', 'p2'])), refused('parties_invalid'))
  t.throws(() => after(request(), start(1), complete(1, ['d', 'd', 'other'])), refused('parties_invalid'))
})

test('what belongs to an earlier attempt is refused', (t) => {
  t.throws(() => after(request(), start(1), start(2), complete(1)), refused('key_not_pending'))
  t.throws(() => after(request(), start(1), start(1)), refused('key_not_pending'))
  t.throws(() => after(request(), start(2)), refused('key_not_pending'))
})

test('a finished key is not generated again', (t) => {
  t.throws(() => after(request(), start(1), complete(1), start(2)), refused('key_not_pending'))
  t.throws(
    () => after(request(), start(1), complete(1), { type: 'FailKeyGeneration', code: 'x', culprits: [] }),
    refused('key_not_pending'),
  )
})

test('a revoked key is revoked for ever and signs nothing', (t) => {
  const revoke: KeyShareCommand = { type: 'RevokeKey', reason: '', authorisation }
  const { state, events } = after(request(), start(1), complete(1), revoke, revoke)
  t.is(events.filter(({ type }) => type === 'KeyRevoked').length, 1)
  t.throws(() => requireActiveKey(state), refused('key_not_active'))
  t.throws(() => after(request(), revoke), refused('key_not_active'))
})

for (const [name, overrides, code] of [
  ['threshold 0', { threshold: 0 }, 'threshold_invalid'],
  ['a threshold above the number of parties', { threshold: 4 }, 'threshold_invalid'],
  ['a fractional threshold', { threshold: 1.5 }, 'threshold_invalid'],
  ['no parties', { parties: [] }, 'parties_invalid'],
  ['eight parties', { parties: ['1', '2', '3', '4', '5', '6', '7', '8'] }, 'parties_invalid'],
  ['a party named twice', { parties: ['p1', 'p1'] }, 'parties_invalid'],
  ['an unknown scheme', { scheme: 'rsa' as 'frost-ed25519' }, 'scheme_unknown'],
] as const) {
  test(`${name} is refused`, (t) => {
    t.throws(() => after(request(overrides)), refused(code))
  })
}
