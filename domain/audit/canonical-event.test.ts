import test from 'ava'
import type { RecordedEvent } from '../ports/event-log.ts'
import { canonicalEvent, type Held, isAudited, type Leaf, leafText, textOf, writeLeaf } from './canonical-event.ts'

const event: RecordedEvent = {
  id: '5f0e8f0e-3c4f-4d4e-8a55-1d3a4f5b6c7d',
  type: 'WalletFrozen',
  stream: 'wallet-1',
  revision: 9007199254740993n,
  position: 17n,
  recordedAt: '2026-01-01T00:00:00.000Z',
  data: { walletId: '1', reason: 'ü' },
  metadata: {
    commandId: 'a',
    correlationId: 'b',
    causationId: 'c',
    actor: 'me',
    tenant: 'acme',
    occurredAt: '2026-01-01T00:00:00.000Z',
    schemaVersion: 1,
  },
}

test('an event has one text', (t) => {
  t.is(
    canonicalEvent(event),
    '{"data":{"reason":"ü","walletId":"1"},"id":"5f0e8f0e-3c4f-4d4e-8a55-1d3a4f5b6c7d","metadata":{"actor":"me","causationId":"c","commandId":"a","correlationId":"b","occurredAt":"2026-01-01T00:00:00.000Z","schemaVersion":1,"tenant":"acme"},"revision":"9007199254740993","stream":"wallet-1","type":"WalletFrozen"}',
  )
})

test('where and when a store has recorded an event is not in it', (t) => {
  t.is(canonicalEvent({ ...event, position: 1n, recordedAt: '2027-01-01T00:00:00.000Z' } as RecordedEvent), canonicalEvent(event))
})

test('everything else is', (t) => {
  const changes: Partial<RecordedEvent>[] = [
    { id: '6f0e8f0e-3c4f-4d4e-8a55-1d3a4f5b6c7d' },
    { type: 'WalletUnfrozen' },
    { stream: 'wallet-2' },
    { revision: 9007199254740992n },
    { data: { walletId: '1', reason: 'u' } },
    { metadata: { ...event.metadata, occurredAt: '2026-01-01T00:00:00.001Z' } },
  ]
  const texts = changes.map((change) => canonicalEvent({ ...event, ...change }))
  t.is(new Set([...texts, canonicalEvent(event)]).size, changes.length + 1)
})

test('what somebody else has written there that is not JSON is told from what is', (t) => {
  const bytes = new Uint8Array([1, 2, 3])
  const texts = [bytes, { dataBase64: 'AQID' }, 'AQID', null].map((data) => canonicalEvent({ ...event, data: data as object }))
  t.is(new Set(texts).size, texts.length)
  t.true(texts[0]!.includes('"dataBase64":"AQID"'))
  t.true(canonicalEvent({ ...event, metadata: undefined as never }).includes('"metadata":null'))
})

test('only what happened in the domain is a leaf', (t) => {
  for (const stream of ['wallet-1', 'account-1', 'keyShare-1', 'signingSession-1', 'party-1'])
    t.true(isAudited({ stream, type: 'A' }), stream)
  for (const stream of ['snapshot-wallet-1', '$$wallet-1', '$settings', 'elsewhere']) t.false(isAudited({ stream, type: 'A' }), stream)
  for (const type of ['$>', '$metadata']) t.false(isAudited({ stream: 'wallet-1', type }), type)
})

test('a leaf is written in UTF-8, of text or of what is in UTF-8 already, however long it is', (t) => {
  const utf8 = (text: string) => new TextEncoder().encode(text)
  const bytesOf = (held: Held): Held<Uint8Array> => ('json' in held ? { json: utf8(held.json) } : { base64: utf8(held.base64) })
  const copied = ({ leaf, data, metadata }: Leaf) => [leaf, textOf(data), textOf(metadata)].map((bytes) => Buffer.from(bytes).toString())
  const names = { ...event, stream: 'wallet-"ä€😀', id: '\ud800', type: 'x'.repeat(40_000) }
  const contents: Held[] = [{ json: '{"a":"ü€😀"}' }, { base64: 'AQID' }, { json: `"${'€'.repeat(100_000)}"` }, { json: 'null' }]
  for (const named of [event, names])
    for (const data of contents)
      for (const metadata of contents) {
        const expected = [leafText(named, data, metadata), textOf(data), textOf(metadata)]
        t.deepEqual(copied(writeLeaf(named, data, metadata)), expected)
        t.deepEqual(copied(writeLeaf(named, bytesOf(data), bytesOf(metadata))), expected)
        t.deepEqual(Object.keys(writeLeaf(named, data, metadata).data), Object.keys(data))
      }
})
