import test from 'ava'
import { verifyJws } from '../../adapters/jws/verify-jws.ts'
import { requestDigestOf } from '../../http/idempotency.ts'
import type { Authorisation } from '../key-share/events.ts'
import { approvalPath, readDecision, verifyPolicyChange, verifySignatureRequest } from './approvals.ts'
import { intentId } from './intent.ts'
import type { KeyPolicy } from './key-policy.ts'
import { type AuthorisationCode, AuthorisationRefused } from './refused.ts'
import { requestDigest } from './request.ts'
import { createSigner, type TestSigner } from './testing/signer.ts'

const NOW = Date.parse('2026-01-01T00:00:00Z')
const HOUR = 3_600_000
const [client, alice, bob, carol, stranger] = ['client', 'alice', 'bob', 'carol', 'stranger'].map((kid) => createSigner(kid)) as [
  TestSigner,
  TestSigner,
  TestSigner,
  TestSigner,
  TestSigner,
]
const policy: KeyPolicy = {
  version: 1,
  walletId: 'w',
  clientKeys: [client.key],
  rawDigests: false,
  approvals: { required: 2, approvers: [alice.key, bob.key, carol.key] },
  presignatures: 10,
}
const request = { method: 'POST', path: '/v1/keys/k/signatures', body: '{}' }
const refused = (code: AuthorisationCode) => ({ instanceOf: AuthorisationRefused, code })

type Changes = { at?: number; session?: string; body?: object; method?: string }
const approve = (signer: TestSigner, { at = NOW, session = 's', body = {}, method = 'POST' }: Changes = {}): Authorisation =>
  signer.authorise({ method, path: approvalPath(session), body: JSON.stringify({ decision: 'approve', ...body }) }, { at })

const verify = (approvals: readonly Authorisation[], { askedAt = NOW - HOUR, under = policy } = {}) =>
  verifySignatureRequest(
    { authorisation: client.authorise(request, { at: askedAt }), approvals, sessionId: 's' },
    { policy: under, verify: verifyJws, now: NOW },
  )

test('as many approvers as the policy wants approve a request, and each intent is accounted for', (t) => {
  t.is(new Set(verify([approve(alice), approve(bob)]).map(intentId)).size, 3)
  t.is(verify([approve(alice), approve(bob), approve(carol)]).length, 4)
})

test('too few approvers, or one of them twice, are too few', (t) => {
  t.throws(() => verify([]), { ...refused('approvals_missing'), message: '0 of 2 approvals were given' })
  t.throws(() => verify([approve(alice)]), refused('approvals_missing'))
  t.throws(() => verify([approve(alice), approve(alice)]), refused('approvals_missing'))
})

for (const [what, approval, code] of [
  ['by a stranger', approve(stranger), 'approval_by_stranger'],
  ["by somebody who uses an approver's name", approve(createSigner('bob')), 'intent_signature_invalid'],
  ['by the client', approve(client), 'approval_by_stranger'],
  ['of another session', approve(bob, { session: 'other' }), 'request_mismatch'],
  ['with another method', approve(bob, { method: 'PUT' }), 'request_mismatch'],
  ['that is a rejection', approve(bob, { body: { decision: 'reject' } }), 'request_mismatch'],
  ['of another request', approve(bob, { body: { requestDigest: requestDigest({ ...request, body: '{ }' }) } }), 'request_mismatch'],
  ['with more in it than is known', approve(bob, { body: { also: 1 } }), 'request_mismatch'],
  ['that nobody signed', { ...approve(bob), intent: null }, 'intent_missing'],
  ['made in the future', approve(bob, { at: NOW + 31_000 }), 'intent_not_yet_valid'],
  ['made before the request', approve(bob, { at: NOW - HOUR - 6_000 }), 'request_mismatch'],
] as const) {
  test(`an approval ${what} does not count`, (t) => {
    t.throws(() => verify([approve(alice), approval]), refused(code))
  })
}

test('an approval may say which request it is of', (t) => {
  t.notThrows(() => verify([approve(alice), approve(bob, { body: { requestDigest: requestDigest(request) } })]))
})

test('people take their time: up to a day, as long as the newest approval is fresh', (t) => {
  t.notThrows(() => verify([approve(alice, { at: NOW - 23 * HOUR }), approve(bob)], { askedAt: NOW - 23.5 * HOUR }))
  t.throws(() => verify([approve(alice), approve(bob)], { askedAt: NOW - 24.1 * HOUR }), refused('intent_expired'))
  t.throws(() => verify([approve(alice, { at: NOW - HOUR / 2 }), approve(bob, { at: NOW - HOUR / 4 })]), refused('intent_expired'))
})

test('without approvals the request itself must be fresh', (t) => {
  const under = { ...policy, approvals: null }
  t.is(verify([], { askedAt: NOW, under }).length, 1)
  t.throws(() => verify([], { under }), refused('intent_expired'))
})

const change = { method: 'POST', path: '/v1/wallets/w/policy', body: '{"policy":{}}' }
const verifyChange = (approvals: readonly string[], { at = NOW, maxAgeSeconds }: { at?: number; maxAgeSeconds?: number } = {}) =>
  verifyPolicyChange(
    { authorisation: client.authorise(change, { at }), approvals },
    { policy, verify: verifyJws, now: NOW, ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }) },
  )
const signChange = (signer: TestSigner, at = NOW, to = change): string => signer.authorise(to, { at }).intent!

test('a change of policy needs the approvals of the policy in force, over the very same request', (t) => {
  t.is(verifyChange([signChange(alice), signChange(bob)]).length, 3)
  t.throws(() => verifyChange([]), refused('approvals_missing'))
  t.throws(() => verifyChange([signChange(alice), signChange(alice)]), refused('approvals_missing'))
  t.throws(() => verifyChange([signChange(alice), signChange(stranger)]), refused('approval_by_stranger'))
  t.throws(() => verifyChange([signChange(alice), signChange(client)]), refused('approval_by_stranger'))
  t.throws(() => verifyChange([signChange(alice), signChange(bob, NOW, { ...change, body: '{}' })]), refused('intent_body_mismatch'))
  t.throws(() => verifyChange([signChange(alice), signChange(bob, NOW, { ...change, path: '/v1/wallets/v/policy' })]), {
    ...refused('intent_path_mismatch'),
  })
})

test('approvals of a change may be a day old, the request only where it may be late', (t) => {
  t.notThrows(() => verifyChange([signChange(alice, NOW - 23 * HOUR), signChange(bob)]))
  t.throws(() => verifyChange([signChange(alice, NOW - 25 * HOUR), signChange(bob)]), refused('intent_expired'))
  t.throws(() => verifyChange([signChange(alice), signChange(bob)], { at: NOW - HOUR }), refused('intent_expired'))
  t.notThrows(() => verifyChange([signChange(alice, NOW - HOUR), signChange(bob, NOW - HOUR)], { at: NOW - HOUR, maxAgeSeconds: 86_400 }))
})

test('a request has the digest by which the API knows it', (t) => {
  const body = '{"payload":"é"}'
  t.is(requestDigest({ ...request, body }), requestDigestOf(request.method, request.path, Buffer.from(body)))
})

test('a decision is one or the other', (t) => {
  t.deepEqual(readDecision('{"decision":"reject"}'), { decision: 'reject' })
  for (const body of [
    '{}',
    '{"decision":"maybe"}',
    '{"decision":"approve","decision":"reject"}',
    '{"decision":"approve","requestDigest":1}',
  ])
    t.throws(() => readDecision(body))
})
