import test from 'ava'
import fc from 'fast-check'
import { fold } from '../decider.ts'
import { DomainError } from '../domain-error.ts'
import type { SigningSessionEvent } from './events.ts'
import { isTerminal, requireSession, type SigningSessionCommand, signingSession } from './signing-session.ts'

const NOW = '2026-01-01T00:00:00.000Z'
const DEADLINE = '2026-01-01T00:01:00.000Z'

const request = (approvals: { required: number; approvers: string[] } | null = null): SigningSessionCommand => ({
  type: 'RequestSignature',
  sessionId: 's1',
  keyId: 'k1',
  walletId: 'w1',
  tenant: 'acme',
  scheme: 'frost-ed25519',
  payload: { kind: 'message', encoding: 'hex', data: '00' },
  message: '00',
  deadline: DEADLINE,
  approvals,
  authorisation: { method: 'POST', path: '/', body: '', intent: null },
})
const start = (attempt: number): SigningSessionCommand => ({ type: 'StartSigning', attempt, signers: ['p1', 'p2'], previous: null })
const round = (attempt: number, number: number): SigningSessionCommand => ({ type: 'CompleteRound', attempt, round: number, rounds: 2 })
const produce = (attempt: number, signature = 'sig'): SigningSessionCommand => ({ type: 'ProduceSignature', attempt, signature })
const decision = (
  approver: string,
  which: 'approve' | 'reject',
  { now = NOW, approvals = { required: 2, approvers: ['a', 'b', 'c'] }, lapsed = [] as readonly string[] } = {},
): SigningSessionCommand => ({
  type: 'DecideApproval',
  approver,
  decision: which,
  authorisation: { method: 'POST', path: '/', body: '', intent: approver },
  approvals,
  lapsed,
  now,
})

function after(...commands: readonly SigningSessionCommand[]) {
  const events: SigningSessionEvent[] = []
  for (const command of commands) events.push(...signingSession.decide(fold(signingSession, events), command))
  return { events, state: requireSession(fold(signingSession, events)) }
}

const refused = (code: string) => ({ instanceOf: DomainError, code }) as const

test('a session goes from requested through its rounds to signed', (t) => {
  t.is(after(request()).state.status, 'requested')
  t.is(after(request(), start(1)).state.status, 'preparing')
  t.like(after(request(), start(1), round(1, 1)).state, { status: 'round', round: { number: 1, of: 2 } })
  t.is(after(request(), start(1), round(1, 1), round(1, 2)).state.status, 'verifying')
  t.like(after(request(), start(1), round(1, 1), round(1, 2), produce(1)).state, {
    status: 'signed',
    signature: 'sig',
    signers: ['p1', 'p2'],
  })
})

test('a signature is not accepted before all rounds are complete, nor from an earlier attempt', (t) => {
  t.throws(() => after(request(), start(1), round(1, 1), produce(1)), refused('session_out_of_order'))
  t.throws(() => after(request(), start(1), round(1, 1), round(1, 2), start(2), produce(1)), refused('session_out_of_order'))
})

test('a session waits for its approvers', (t) => {
  const approvals = { required: 2, approvers: ['a', 'b', 'c'] }
  t.is(after(request(approvals)).state.status, 'pending_approval')
  t.throws(() => after(request(approvals), start(1)), refused('session_out_of_order'))
  t.is(after(request(approvals), decision('a', 'approve'), decision('a', 'approve')).state.status, 'pending_approval')
  t.is(after(request(approvals), decision('a', 'approve'), decision('b', 'approve')).state.status, 'requested')
  t.deepEqual(
    after(request(approvals), decision('a', 'approve'), decision('b', 'approve')).state.approvedBy.map(({ intent }) => intent),
    ['a', 'b'],
  )
  t.is(after(request(approvals), decision('a', 'reject'), decision('b', 'reject')).state.status, 'rejected')
  t.throws(() => after(request(approvals), decision('stranger', 'approve')), refused('not_an_approver'))
  t.throws(() => after(request(approvals), decision('a', 'approve'), decision('a', 'reject')), refused('already_decided'))
  t.throws(() => after(request(), decision('a', 'approve')), refused('session_not_pending_approval'))
  t.is(after(request(approvals), decision('a', 'approve', { now: DEADLINE })).state.status, 'expired')
})

test('when the policy has changed meanwhile, approvals are counted by the one in force', (t) => {
  const asked = request({ required: 2, approvers: ['a', 'b', 'c'] })
  const others = { required: 2, approvers: ['c', 'd', 'e'] }
  const removed = after(asked, decision('a', 'approve'), decision('d', 'approve', { approvals: others })).state
  t.like(removed, { status: 'pending_approval', approvals: others, granted: ['d'] })
  t.deepEqual(
    removed.approvedBy.map(({ intent }) => intent),
    ['d'],
  )
  t.throws(() => after(asked, decision('a', 'approve', { approvals: others })), refused('not_an_approver'))
  t.is(after(asked, decision('c', 'approve'), decision('d', 'approve', { approvals: others })).state.status, 'requested')
  t.is(
    after(asked, decision('c', 'approve'), decision('d', 'approve', { approvals: others, lapsed: ['c'] })).state.status,
    'pending_approval',
  )

  const fewer = { required: 1, approvers: ['a', 'b', 'c'] }
  const again = after(asked, decision('a', 'approve'), decision('a', 'approve', { approvals: fewer })).state
  t.like(again, { status: 'requested', granted: ['a'] })
  t.is(again.approvedBy.length, 1)
  t.throws(() => after(asked, decision('a', 'approve'), decision('a', 'reject', { approvals: others })), refused('not_an_approver'))
  t.throws(() => after(asked, decision('a', 'approve'), decision('a', 'reject', { approvals: fewer })), refused('already_decided'))

  const more = { required: 3, approvers: ['a', 'b', 'c'] }
  t.is(after(asked, decision('a', 'approve'), decision('b', 'approve', { approvals: more })).state.status, 'pending_approval')
  t.is(after(asked, decision('a', 'reject', { approvals: more })).state.status, 'rejected')
  t.is(after(asked, decision('a', 'reject'), decision('d', 'reject', { approvals: others })).state.status, 'pending_approval')
})

test('where the policy asks for no approvals any more, a session that waits for some ends', (t) => {
  const asked = request({ required: 1, approvers: ['a'] })
  t.like(after(asked, { type: 'GiveUpApproval' }).state, { status: 'failed', failure: { code: 'approvals_impossible', culprits: [] } })
  t.throws(() => after(request(), { type: 'GiveUpApproval' }), refused('session_not_pending_approval'))
  t.throws(
    () => after(asked, decision('a', 'approve', { approvals: { required: 1, approvers: ['a'] } }), { type: 'GiveUpApproval' }),
    refused('session_not_pending_approval'),
  )
})

test('a session expires at its deadline, not before', (t) => {
  t.is(after(request(), { type: 'ExpireSession', now: NOW }).events.length, 1)
  t.is(after(request(), { type: 'ExpireSession', now: DEADLINE }).state.status, 'expired')
})

test('a cancelled session stays cancelled', (t) => {
  const cancel: SigningSessionCommand = { type: 'CancelSession', by: 'me' }
  t.is(after(request(), cancel, cancel).events.length, 2)
  t.throws(() => after(request(), cancel, start(1)), refused('session_terminal'))
})

const anyCommand = fc.oneof(
  fc.integer({ min: 0, max: 4 }).map(start),
  fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 1, max: 2 })).map(([attempt, number]) => round(attempt, number)),
  fc.tuple(fc.integer({ min: 0, max: 4 }), fc.string()).map(([attempt, signature]) => produce(attempt, signature)),
  fc.constant<SigningSessionCommand>({ type: 'FailSigning', code: 'x', culprits: [] }),
  fc.constant<SigningSessionCommand>({ type: 'CancelSession', by: 'me' }),
  fc.constantFrom(NOW, DEADLINE).map((now): SigningSessionCommand => ({ type: 'ExpireSession', now })),
)

test('whatever is tried, a session yields at most one signature, and nothing after its end', (t) => {
  fc.assert(
    fc.property(fc.array(anyCommand, { maxLength: 40 }), (commands) => {
      const events: SigningSessionEvent[] = [...signingSession.decide(signingSession.initial, request())]
      for (const command of commands) {
        const before = requireSession(fold(signingSession, events))
        let decided: readonly SigningSessionEvent[] = []
        try {
          decided = signingSession.decide(before, command)
        } catch (error) {
          if (!(error instanceof DomainError)) throw error
        }
        if (isTerminal(before) && decided.length > 0) return false
        events.push(...decided)
      }
      return events.filter(({ type }) => type === 'SignatureProduced').length <= 1
    }),
    { numRuns: 500 },
  )
  t.pass()
})
