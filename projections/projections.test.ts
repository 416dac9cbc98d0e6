import test from 'ava'
import type { AccountEvent } from '../domain/account/events.ts'
import type { SigningSessionEvent } from '../domain/signing-session/events.ts'
import type { WalletEvent } from '../domain/wallet/events.ts'
import { accounts } from './accounts.ts'
import { keys } from './keys.ts'
import { partyStatistics } from './party-statistics.ts'
import type { RecordedDomainEvent } from './projection.ts'
import { signingSessions } from './signing-sessions.ts'
import { walletHistory } from './wallet-history.ts'
import { wallets } from './wallets.ts'

const AT = '2026-01-01T00:00:00.000Z'
const session = { sessionId: 's1', keyId: 'k1', walletId: 'w1' }

function recorded(
  event: WalletEvent | AccountEvent | SigningSessionEvent | { type: 'ShareGenerated'; data: object },
  position = 7n,
): RecordedDomainEvent {
  const metadata = {
    commandId: 'c',
    correlationId: 'c',
    causationId: 'c',
    actor: 'alice',
    tenant: 'acme',
    occurredAt: AT,
    schemaVersion: 1,
  }
  return { id: 'e', stream: 'x-1', revision: 3n, position, recordedAt: AT, metadata, ...event } as RecordedDomainEvent
}

test('a wallet appears open, with the revision of its last event', (t) => {
  const data = { walletId: 'w1', tenant: 'acme', name: 'n', clientKeys: [], policy: { rawDigests: false } }
  const [write] = wallets.apply(recorded({ type: 'WalletCreated', data }))
  t.like(write, { collection: 'wallets', id: 'w1', create: true, set: { status: 'open', tenant: 'acme', revision: 3, createdAt: AT } })
})

test('an account appears with all that it was opened with, and in the history with its address', (t) => {
  const data = {
    accountId: 'a1',
    walletId: 'w1',
    tenant: 'acme',
    keyId: 'k1',
    scheme: 'frost-ed25519',
    chain: 'solana:localnet',
    path: 'm/0/5',
    publicKey: '00',
    address: '1',
  }
  const event = recorded({ type: 'AccountOpened', data })
  t.deepEqual(accounts.apply(event), [
    { collection: 'accounts', id: 'a1', create: true, set: { ...data, createdAt: AT, revision: 3, updatedAt: AT } },
  ])
  const [item] = walletHistory.apply(event)
  t.like(item, { set: { type: 'AccountOpened', walletId: 'w1', keyId: 'k1' } })
  t.like(item?.set?.data, { accountId: 'a1', chain: 'solana:localnet', path: 'm/0/5', address: '1' })
  t.deepEqual(wallets.apply(event), [])
  t.deepEqual(keys.apply(event), [])
})

test('only the first event of an aggregate creates its document', (t) => {
  t.like(wallets.apply(recorded({ type: 'WalletFrozen', data: { walletId: 'w1', reason: '' } }))[0], {
    create: false,
    set: { status: 'frozen' },
  })
})

test('the last round leaves a session verifying, an earlier one in that round', (t) => {
  const after = (round: number) =>
    signingSessions.apply(recorded({ type: 'RoundCompleted', data: { ...session, attempt: 1, round, rounds: 2 } }))[0]
  t.like(after(1), { id: 's1', set: { status: 'round', round: { number: 1, of: 2 } } })
  t.like(after(2), { id: 's1', set: { status: 'verifying' } })
})

test('each read model leaves alone what it is not about', (t) => {
  const event = recorded({ type: 'SignatureProduced', data: { ...session, attempt: 1, signature: '00', signers: ['p1', 'p2'] } })
  t.deepEqual(wallets.apply(event), [])
  t.deepEqual(accounts.apply(event), [])
  t.deepEqual(keys.apply(event), [])
})

test('history is one document an event, by position, without the intent or the message', (t) => {
  const event = recorded({
    type: 'SigningRequested',
    data: {
      ...session,
      tenant: 'acme',
      scheme: 'frost-ed25519',
      payload: { kind: 'message', encoding: 'utf8', data: 'private words' },
      message: '00',
      deadline: AT,
      approvals: null,
      authorisation: { method: 'POST', path: '/', body: 'private words', intent: 'a.b.c' },
    },
  })
  const [write] = walletHistory.apply(event)
  t.like(write, { id: '00000000000000000007', create: true, set: { walletId: 'w1', actor: 'alice', sessionId: 's1' } })
  t.notRegex(JSON.stringify(write), /private words|a\.b\.c/)
})

test('typed data are kept as text, so that no name in them is a field of the document', (t) => {
  const typedData = { message: { _bsontype: 'Long', $set: 1 } }
  const data = {
    ...session,
    tenant: 'acme',
    scheme: 'frost-ed25519' as const,
    payload: { kind: 'eip712' as const, typedData },
    message: '00',
    deadline: AT,
    approvals: null,
    authorisation: { method: 'POST', path: '/', body: '', intent: null },
  }
  const [write] = signingSessions.apply(recorded({ type: 'SigningRequested', data }))
  t.deepEqual(write?.set?.payload, { kind: 'eip712', typedData: JSON.stringify(typedData) })
})

test('steps of a ceremony are left out of the history', (t) => {
  t.deepEqual(walletHistory.apply(recorded({ type: 'RoundCompleted', data: { ...session, attempt: 1, round: 1, rounds: 2 } })), [])
})

test('signers are counted, and so are culprits', (t) => {
  const signed = partyStatistics.apply(
    recorded({ type: 'SignatureProduced', data: { ...session, attempt: 1, signature: '00', signers: ['p1', 'p2'] } }),
  )
  t.deepEqual(
    signed.map(({ id, increment }) => [id, increment]),
    [
      ['p1', { signatures: 1 }],
      ['p2', { signatures: 1 }],
    ],
  )
  const started = partyStatistics.apply(
    recorded({
      type: 'SigningStarted',
      data: { ...session, attempt: 2, signers: ['p1', 'p2'], previous: { code: 'x', culprits: ['p3'] } },
    }),
  )
  t.like(started, [{ id: 'p3', increment: { failures: 1 } }])
})
