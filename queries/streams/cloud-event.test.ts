import test from 'ava'
import type { RecordedEvent } from '../../domain/ports/event-log.ts'
import { STREAMED_PROJECTIONS, shownOf } from '../../projections/streamed.ts'
import { entryOf } from './cloud-event.ts'

const AT = '2026-01-01T00:00:00.000Z'
const walletId = '4d6f3f0a-92e5-4a7e-9a0e-0f3d8a5b6c7d'
const options = { origin: '0123456789abcdef', projections: STREAMED_PROJECTIONS, shown: shownOf }

function recorded(type: string, data: object, stream = `wallet-${walletId}`): RecordedEvent {
  const metadata = {
    commandId: 'c',
    correlationId: 'c',
    causationId: 'c',
    actor: 'alice',
    tenant: 'acme',
    occurredAt: AT,
    schemaVersion: 1,
  }
  return { id: 'e', type, data, metadata, stream, revision: 3n, position: 7n, recordedAt: AT }
}

test('an event goes out as a CloudEvent, among all events and in the streams of the read models that it changes', (t) => {
  const { json, cursor, streams } = entryOf(recorded('PersonalDataErased', { walletId, keysBefore: 2, reason: 'account_closed' }), options)
  t.deepEqual(JSON.parse(json), {
    specversion: '1.0',
    id: 'e',
    source: '/v1/streams/events',
    type: 'PersonalDataErased',
    subject: `wallet-${walletId}`,
    time: AT,
    tenant: 'acme',
    position: '7',
    cursor,
    datacontenttype: 'application/json',
    data: { walletId, reason: 'account_closed' },
  })
  t.deepEqual([...streams].sort(), ['events', 'wallet_history', 'wallets'])
})

test('what is for parties to read, or about people, stays in', (t) => {
  const authorisation = { method: 'POST', path: '/p', body: '{"memo":"SECRET"}', intent: 'SECRET' }
  const changed = { walletId, policy: { rawDigests: false }, version: 2, authorisation, approvals: ['SECRET'], intents: ['SECRET'] }
  const events = [
    recorded('PolicyChanged', changed),
    recorded('WalletCreated', { walletId, tenant: 'acme', name: 'SECRET', clientKeys: [], policy: { rawDigests: false } }),
    recorded('WalletFrozen', { walletId, reason: 'SECRET' }),
    recorded('WalletFrozen', { walletId, reason: { sealed: 'SECRET' } }),
    recorded('KeyRevoked', { keyId: 'k', walletId, reason: 'SECRET', authorisation }, 'keyShare-k'),
    recorded('TransferRequested', { transferId: 't', walletId, memo: 'SECRET', amount: '1', authorisation }),
  ]
  for (const event of events) t.false(entryOf(event, options).json.includes('SECRET'), event.type)
})

test('what cannot be read is told of without its data, and is in no read model', (t) => {
  const { json, streams, walletId: of } = entryOf(recorded('Unheard', { walletId, secret: 'SECRET' }), { ...options, unreadable: true })
  t.is(JSON.parse(json).data, undefined)
  t.false(json.includes('SECRET'))
  t.deepEqual([...streams], ['events'])
  t.is(of, undefined)
})

test('what somebody else wrote to the store, without metadata or data, is told of to the platform, and stops no stream', (t) => {
  const foreign = { ...recorded('Foreign', {}), data: null, metadata: undefined } as unknown as RecordedEvent
  const { tenant, time, json } = entryOf(foreign, { ...options, unreadable: true })
  t.deepEqual([tenant, time], ['*', AT])
  t.like(JSON.parse(json), { type: 'Foreign', tenant: '*' })
})
