import test from 'ava'
import fc from 'fast-check'
import { fold } from '../decider.ts'
import { DomainError } from '../domain-error.ts'
import type { KeyShareEvent } from './events.ts'
import { type ExistingKeyShare, type KeyShareCommand, keyShare, requireActiveKey, requireKey } from './key-share.ts'

const authorisation = { method: 'POST', path: '/', body: '', intent: null }
const PARTIES = ['p1', 'p2', 'p3']
const request: KeyShareCommand = {
  type: 'RequestKeyGeneration',
  keyId: 'k1',
  walletId: 'w1',
  tenant: 'acme',
  scheme: 'frost-ed25519',
  threshold: 2,
  parties: PARTIES,
  authorisation,
  policy: { version: 1, walletId: 'w1', clientKeys: [], rawDigests: false, approvals: null, presignatures: 10 },
}
const confirmations = PARTIES.map((partyId) => ({ partyId, packageDigest: 'd' }))
const generated: readonly KeyShareCommand[] = [
  request,
  { type: 'StartKeyGeneration', attempt: 1 },
  { type: 'CompleteKeyGeneration', attempt: 1, confirmations, publicKey: 'pk', publicPackage: 'pp1' },
]
const refresh: KeyShareCommand = { type: 'RequestKeyRefresh', authorisation }
const startRefresh = (epoch: number, attempt: number): KeyShareCommand => ({ type: 'StartKeyRefresh', epoch, attempt })
const completeRefresh = (epoch: number, attempt: number, changes: object = {}): KeyShareCommand => ({
  type: 'CompleteKeyRefresh',
  epoch,
  attempt,
  confirmations,
  publicKey: 'pk',
  publicPackage: `pp${epoch}`,
  ...changes,
})
const failRefresh = (epoch: number): KeyShareCommand => ({ type: 'FailKeyRefresh', epoch, code: 'x', culprits: ['p1'] })
const recover = (partyId = 'p3'): KeyShareCommand => ({ type: 'RequestShareRecovery', partyId, authorisation })
const startRecovery = (attempt: number, helpers = ['p1', 'p2'], partyId = 'p3'): KeyShareCommand => ({
  type: 'StartShareRecovery',
  attempt,
  partyId,
  helpers,
})
const completeRecovery = (attempt: number): KeyShareCommand => ({ type: 'CompleteShareRecovery', attempt, partyId: 'p3' })
const failRecovery: KeyShareCommand = { type: 'FailShareRecovery', partyId: 'p3', code: 'x', culprits: [] }
const revoke: KeyShareCommand = { type: 'RevokeKey', reason: '', authorisation }

function after(...commands: readonly KeyShareCommand[]): ExistingKeyShare {
  const events: KeyShareEvent[] = []
  for (const command of commands) events.push(...keyShare.decide(fold(keyShare, events), command))
  return requireKey(fold(keyShare, events))
}

const refused = (code: string) => ({ instanceOf: DomainError, code }) as const

test('a refreshed key has the same public key, shares of the next epoch, and signs all the while', (t) => {
  const refreshing = after(...generated, refresh, startRefresh(2, 1))
  t.like(requireActiveKey(refreshing), { status: 'refreshing', epoch: 1, attempt: 1, publicPackage: 'pp1' })
  const refreshed = after(...generated, refresh, startRefresh(2, 1), startRefresh(2, 2), completeRefresh(2, 2))
  t.like(requireActiveKey(refreshed), { status: 'active', epoch: 2, attempt: 2, publicKey: 'pk', publicPackage: 'pp2', refresh: null })
})

test('a refresh that fails leaves the key active on the old shares, and its attempts are never counted again', (t) => {
  const failed = after(...generated, refresh, startRefresh(2, 1), failRefresh(2))
  t.like(requireActiveKey(failed), { status: 'active', epoch: 1, attempt: 1, publicPackage: 'pp1', refreshAttempts: 1 })
  t.throws(
    () => after(...generated, refresh, startRefresh(2, 1), failRefresh(2), refresh, startRefresh(2, 1)),
    refused('key_not_refreshing'),
  )
  const later = after(...generated, refresh, startRefresh(2, 1), failRefresh(2), refresh, startRefresh(2, 2), completeRefresh(2, 2))
  t.like(later, { epoch: 2, attempt: 2 })
})

test('what belongs to another attempt, epoch or key does not complete a refresh', (t) => {
  const begun = [...generated, refresh, startRefresh(2, 1)]
  for (const command of [completeRefresh(2, 2), completeRefresh(3, 1), completeRefresh(1, 1)])
    t.throws(() => after(...begun, command), refused('key_not_refreshing'))
  t.throws(() => after(...begun, startRefresh(2, 2), completeRefresh(2, 1)), refused('key_not_refreshing'))
  t.throws(() => after(...begun, failRefresh(2), refresh, completeRefresh(2, 1)), refused('key_not_refreshing'))
  t.throws(() => after(...begun, completeRefresh(2, 1), completeRefresh(2, 1)), refused('key_not_refreshing'))
  t.throws(() => after(...begun, completeRefresh(2, 1, { publicKey: 'other' })), refused('parties_invalid'))
  t.throws(() => after(...begun, completeRefresh(2, 1, { confirmations: confirmations.slice(1) })), refused('parties_invalid'))
})

test('one thing at a time is done to the shares of a key', (t) => {
  t.throws(() => after(...generated, refresh, refresh), refused('refresh_under_way'))
  t.throws(() => after(...generated, refresh, recover()), refused('refresh_under_way'))
  t.throws(() => after(...generated, recover(), refresh), refused('recovery_under_way'))
  t.throws(() => after(...generated, recover(), recover('p1')), refused('recovery_under_way'))
  t.throws(() => after(request, refresh), refused('key_not_active'))
  t.throws(() => after(request, recover()), refused('key_not_active'))
})

test('a share is recovered for a holder, by as many others as sign', (t) => {
  t.like(after(...generated, recover(), startRecovery(1), completeRecovery(1)), { epoch: 1, attempt: 1, recovery: null })
  t.throws(() => after(...generated, recover('stranger')), refused('party_not_a_holder'))
  for (const helpers of [['p1'], ['p1', 'p3'], ['p1', 'p1'], ['p1', 'stranger'], ['p1', 'p2', 'p2']])
    t.throws(() => after(...generated, recover(), startRecovery(1, helpers)), refused('parties_invalid'), helpers.join())
  t.throws(() => after(...generated, recover(), startRecovery(1, ['p2', 'p3'], 'p1')), refused('key_not_recovering'))
  t.throws(() => after(...generated, recover(), completeRecovery(0)), refused('key_not_recovering'))
  t.throws(() => after(...generated, recover(), startRecovery(1), startRecovery(2), completeRecovery(1)), refused('key_not_recovering'))
})

test('there must be something to refresh, and others to recover from', (t) => {
  const [, ...rest] = generated
  t.throws(() => after({ ...request, threshold: 1 } as KeyShareCommand, ...rest, refresh), refused('threshold_of_one'))
  t.throws(() => after({ ...request, threshold: 3 } as KeyShareCommand, ...rest, recover()), refused('too_few_holders'))
})

/** A command as it would fit the state, or a little off. */
type Attempted = (state: ExistingKeyShare) => KeyShareCommand

const off = fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(-1, 1) })
const anyCommand: fc.Arbitrary<Attempted> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Attempted>(() => refresh) },
  {
    weight: 6,
    arbitrary: fc.tuple(off, off).map(([epochs, attempts]): Attempted => {
      return ({ epoch, refreshAttempts }) => startRefresh(epoch + 1 + epochs, refreshAttempts + 1 + attempts)
    }),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(off, off).map(([epochs, attempts]): Attempted => {
      return ({ epoch, refreshAttempts }) => completeRefresh(epoch + 1 + epochs, refreshAttempts + attempts)
    }),
  },
  {
    weight: 2,
    arbitrary: off.map(
      (epochs): Attempted =>
        ({ epoch }) =>
          failRefresh(epoch + 1 + epochs),
    ),
  },
  { weight: 2, arbitrary: fc.constant<Attempted>(() => recover()) },
  {
    weight: 3,
    arbitrary: off.map(
      (attempts): Attempted =>
        ({ recoveryAttempts }) =>
          startRecovery(recoveryAttempts + 1 + attempts),
    ),
  },
  {
    weight: 3,
    arbitrary: off.map(
      (attempts): Attempted =>
        ({ recoveryAttempts }) =>
          completeRecovery(recoveryAttempts + attempts),
    ),
  },
  { weight: 2, arbitrary: fc.constant<Attempted>(() => failRecovery) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Attempted>(
      () => ({ type: 'StartKeyGeneration', attempt: 2 }),
      () => request,
    ),
  },
  { weight: 1, arbitrary: fc.constant<Attempted>(() => revoke) },
)

test('whatever is commanded in whatever order: epochs rise by one, no attempt is in force twice, the key stays, and revoked is for ever', (t) => {
  let completed = 0
  fc.assert(
    fc.property(fc.array(anyCommand, { minLength: 10, maxLength: 60 }), (commands) => {
      let state = after(...generated)
      const inForce = new Set(['1/1'])
      for (const command of commands) {
        let events: readonly KeyShareEvent[]
        try {
          events = keyShare.decide(state, command(state))
        } catch (error) {
          t.true(error instanceof DomainError)
          continue
        }
        const before = state
        state = requireKey(events.reduce(keyShare.evolve, before as never))
        t.is(state.publicKey, 'pk')
        if (before.status === 'revoked') t.deepEqual([...events], [])
        t.is(state.status === 'refreshing', state.refresh !== null)
        t.false(state.refresh !== null && state.recovery !== null)
        t.true(state.refreshAttempts >= before.refreshAttempts && state.recoveryAttempts >= before.recoveryAttempts)
        const has = (type: KeyShareEvent['type']) => events.some((event) => event.type === type)
        t.is(state.epoch, before.epoch + (has('KeyRefreshCompleted') ? 1 : 0))
        if (!has('KeyRefreshCompleted')) t.deepEqual([state.attempt, state.publicPackage], [before.attempt, before.publicPackage])
        else {
          completed++
          const name = `${state.epoch}/${state.attempt}`
          t.false(inForce.has(name))
          inForce.add(name)
        }
        if (has('KeyRevoked')) t.throws(() => requireActiveKey(state), refused('key_not_active'))
      }
    }),
    { numRuns: 300 },
  )
  t.true(completed > 20)
})
