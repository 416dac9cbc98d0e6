import { randomUUID } from 'node:crypto'
import test from 'ava'
import { openApiViolations } from '../../http/testing/openapi-rules.ts'
import { encodeCursor } from './cursor.ts'
import { openReader } from './testing/reader.ts'
import { startStreamedLog } from './testing/streamed-log.ts'

const ids = (events: readonly { id: string }[]) => events.map(({ id }) => id)

test('a reader that is cut off goes on by its cursor, without a gap and without anything twice', async (t) => {
  const { app, append, log } = await startStreamedLog(t)
  await append(150)
  const first = await openReader(t, app, '/v1/streams/events')
  await first.until((events) => events.length >= 150)
  await append(30)
  await first.until((events) => events.length >= 160)
  first.cut()
  await append(40)
  const second = await openReader(t, app, `/v1/streams/events?cursor=${first.events.at(-1).cursor}`)
  await append(30)
  await second.until((events) => first.events.length + events.length >= 250)
  const all: string[] = []
  for await (const { id, stream } of log.readAll()) if (stream.startsWith('wallet-')) all.push(id)
  t.deepEqual([...ids(first.events), ...ids(second.events)], all)
})

test('whoever does not follow is sent what there is, and the end says where to go on', async (t) => {
  const { app, append } = await startStreamedLog(t)
  const walletId = await append(100)
  await append(20)
  const reader = await openReader(t, app, `/v1/streams/wallets?follow=false&type=WalletFrozen&wallet=${walletId}`)
  t.true(await reader.ended)
  t.is(reader.events.length, 50)
  t.true(reader.events.every(({ type, data }) => type === 'WalletFrozen' && data.walletId === walletId))
  t.not(reader.cursor(), reader.events.at(-1).cursor)
  await append(3)
  const next = await openReader(t, app, `/v1/streams/wallets?follow=false&cursor=${reader.cursor()}`)
  t.true(await next.ended)
  t.is(next.events.length, 3)
  const other = await openReader(t, app, '/v1/streams/signing_sessions?follow=false')
  t.true(await other.ended)
  t.deepEqual(other.events, [])
})

test('server-sent events carry their cursors as ids, and heartbeats move the last id of a reader for whom nothing comes', async (t) => {
  const { app, append } = await startStreamedLog(t, { heartbeatMs: 50 })
  await append(2)
  const headers = { authorization: `Bearer ${await app.token()}`, accept: 'text/event-stream' }
  const read = async (path: string, pattern: RegExp, more: Record<string, string> = {}) => {
    const connection = new AbortController()
    const response = await fetch(app.url + path, { headers: { ...headers, ...more }, signal: connection.signal })
    t.is(response.headers.get('content-type'), 'text/event-stream')
    let text = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      if (pattern.test(text)) break
    }
    connection.abort()
    return text
  }
  const text = await read('/v1/streams/events', /(id: .*\ndata: .*\n\n){2}/)
  const [id, data] = /^id: (.*)\ndata: (.*)\n\n/.exec(text)!.slice(1) as [string, string]
  t.like(JSON.parse(data), { specversion: '1.0', type: 'WalletFrozen', cursor: id })
  const resumed = await read('/v1/streams/events', /data: /, { 'last-event-id': id })
  t.is(JSON.parse(/data: (.*)\n\n/.exec(resumed)![1]!).type, 'WalletUnfrozen')
  const quiet = await read('/v1/streams/keys', /: heartbeat\nid: .*\n\n/)
  const last = /id: (.*)\n\n/.exec(text.slice(text.lastIndexOf('id: ')).replace(/\ndata: .*/, ''))![1]!
  t.true(quiet.includes(`: heartbeat\nid: ${last}\n\n`))
})

test('events of other tenants are passed over in silence; the platform sees all', async (t) => {
  const { app, append } = await startStreamedLog(t)
  await append(3, { tenant: 'acme' })
  const foreign = await append(4, { tenant: 'other' })
  const read = async (path: string, tenant: string) => {
    const reader = await openReader(t, app, path, { tenant })
    t.true(await reader.ended)
    return reader.events.map((event) => event.tenant)
  }
  t.deepEqual(await read('/v1/streams/events?follow=false', 'acme'), ['acme', 'acme', 'acme'])
  t.deepEqual(await read(`/v1/streams/events?follow=false&wallet=${foreign}`, 'acme'), [])
  t.is((await read('/v1/streams/events?follow=false', '*')).length, 7)
})

test('all events of the domain are among `events`, also those that no read model is made of', async (t) => {
  const { app, append, log } = await startStreamedLog(t)
  const walletId = await append(1)
  const transferId = randomUUID()
  const metadata = {
    commandId: 'c',
    correlationId: 'c',
    causationId: 'c',
    actor: 'alice',
    tenant: 'acme',
    occurredAt: '2026-01-01T00:00:00.000Z',
  }
  const data = { transferId, walletId, tenant: 'acme' }
  const assigned = { id: randomUUID(), type: 'TransferAssigned', data, metadata: { ...metadata, schemaVersion: 1 } }
  await log.append(`transfer-${transferId}`, 'no_stream', [assigned])
  const typesOf = async (stream: string) => {
    const reader = await openReader(t, app, `/v1/streams/${stream}?follow=false`)
    t.true(await reader.ended)
    return reader.events.map(({ type }) => type)
  }
  t.deepEqual(await typesOf('events'), ['WalletFrozen', 'TransferAssigned'])
  t.deepEqual(await typesOf('transfers'), [])
})

test('a cursor that the log cannot go on from is refused, with the earliest that it can', async (t) => {
  const { app, append } = await startStreamedLog(t)
  await append(2)
  const authorization = `Bearer ${await app.token({ roles: ['data'] })}`
  const refusal = async (cursor: string) =>
    (await app.call('GET', `/v1/streams/events?follow=false&cursor=${cursor}`, { authorization })).json
  const gone = await refusal(encodeCursor({ origin: '0123456789abcdef', position: 0n }))
  t.like(gone, { status: 410, code: 'cursor_expired' })
  const reader = await openReader(t, app, `/v1/streams/events?follow=false&cursor=${gone.earliestCursor}`)
  t.true(await reader.ended)
  t.is(reader.events.length, 2)
  const origin = Buffer.from(gone.earliestCursor, 'base64url').toString().split('.')[1]!
  t.like(await refusal(encodeCursor({ origin, position: 10n ** 12n })), { status: 410, code: 'cursor_expired' })
  t.like(await refusal('garbage'), { status: 400, code: 'invalid_cursor' })
})

test('what is asked for wrongly is refused before anything is sent', async (t) => {
  const { app } = await startStreamedLog(t)
  const status = async (path: string, role: 'data' | 'client' = 'data', accept = 'application/x-ndjson') => {
    const reply = await app.call('GET', path, { authorization: `Bearer ${await app.token({ roles: [role] })}`, headers: { accept } })
    return [reply.status, reply.json.code]
  }
  t.deepEqual(await status('/v1/streams/events', 'client'), [403, 'forbidden'])
  t.deepEqual(await status('/v1/streams/nothing'), [404, 'projection_not_found'])
  t.deepEqual(await status('/v1/streams/events', 'data', 'text/html'), [406, 'not_acceptable'])
  t.deepEqual(await status('/v1/streams/events?type=;'), [400, 'invalid_parameter'])
  t.deepEqual(await status('/v1/streams/events?minPosition=1'), [400, 'invalid_parameter'])
})

test('there are as many readers as there is place for, and a place that is given up is free', async (t) => {
  const { app, append, streams } = await startStreamedLog(t, { readers: 1 })
  await append(1)
  const first = await openReader(t, app, '/v1/streams/events')
  await first.until((events) => events.length === 1)
  const refused = await app.call('GET', '/v1/streams/events?follow=false')
  t.is(refused.status, 503)
  t.is(refused.json.code, 'too_many_readers')
  t.is(refused.headers.get('retry-after'), '5')
  first.cut()
  await first.ended
  while (streams.open.size > 0) await new Promise(setImmediate)
  const next = await openReader(t, app, '/v1/streams/events?follow=false')
  t.true(await next.ended)
})

test('readers stay while the log is away, and miss nothing of what comes after', async (t) => {
  const { app, append, gate } = await startStreamedLog(t)
  await append(5)
  const reader = await openReader(t, app, '/v1/streams/events')
  await reader.until((events) => events.length === 5)
  gate.shut()
  await append(20)
  gate.open()
  await append(20)
  await reader.until((events) => events.length >= 45)
  t.is(new Set(ids(reader.events)).size, 45)
  t.is(reader.events.length, 45)
})

test('a reader is asked to come again when the log does not answer', async (t) => {
  const { app, gate } = await startStreamedLog(t)
  gate.shut()
  t.like((await app.call('GET', '/v1/streams/events')).json, { status: 503, code: 'dependency_unavailable' })
})

test('the route is described as what it sends', async (t) => {
  const { app } = await startStreamedLog(t)
  const { json } = await app.call('GET', '/openapi.json', { authorization: null })
  t.deepEqual(openApiViolations(json), [])
  const { parameters, responses } = json.paths['/v1/streams/{projection}'].get
  t.deepEqual(Object.keys(responses['200'].content), ['application/x-ndjson', 'text/event-stream'])
  t.true(parameters.some(({ name }: { name: string }) => name === 'Last-Event-ID'))
  t.truthy(responses['406'] && responses['410'] && !responses['304'])
})

test('HEAD tells what would be sent, and keeps nobody', async (t) => {
  const { app, streams } = await startStreamedLog(t)
  const { status, headers } = await app.call('HEAD', '/v1/streams/events', { headers: { accept: 'text/event-stream' } })
  t.deepEqual([status, headers.get('content-type')], [200, 'text/event-stream'])
  t.is(streams.open.size, 0)
})

test('an end of the server is an end of its streams', async (t) => {
  const { app, append, streams } = await startStreamedLog(t)
  await append(1)
  const reader = await openReader(t, app, '/v1/streams/events')
  await reader.until((events) => events.length === 1)
  await app.server.close()
  t.true(await reader.ended)
  t.is(streams.open.size, 0)
})
