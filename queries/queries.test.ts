import { randomUUID } from 'node:crypto'
import test from 'ava'
import { signReport } from '../domain/ceremony/signed-report.ts'
import type { CoordinatorReport, EndpointReport, PartyReport } from '../domain/ports/coordinators.ts'
import { collectionOf } from '../domain/ports/projections.ts'
import { payloadToStore } from '../domain/signing-session/stored-payload.ts'
import type { Freshness } from './freshness.ts'
import { accountFields, keyFields, type ReadSide, sessionFields, startReadSide, walletFields } from './testing/read-side.ts'

// One after another: each starts servers of its own, and many starts at once take longer than a client waits for one.

/** A wallet with a key and a session of it, owned by the tenant. */
async function projectAll({ project }: ReadSide, tenant: string) {
  const wallet = walletFields(tenant)
  const key = keyFields(wallet.walletId, tenant)
  const session = sessionFields(key.keyId, wallet.walletId, tenant)
  await project('wallets', wallet.walletId, wallet)
  await project('keys', key.keyId, key)
  await project('signing_sessions', session.sessionId, session)
  const account = accountFields(key.keyId, wallet.walletId, tenant)
  await project('accounts', account.accountId, account)
  return { ...wallet, ...key, ...session, ...account }
}

const paths = ({ walletId, keyId, sessionId, accountId }: { walletId: string; keyId: string; sessionId: string; accountId: string }) => [
  `/v1/wallets/${walletId}`,
  `/v1/wallets/${walletId}/history`,
  `/v1/wallets/${walletId}/keys`,
  `/v1/wallets/${walletId}/accounts`,
  `/v1/accounts/${accountId}`,
  `/v1/keys/${keyId}`,
  `/v1/signing-sessions/${sessionId}`,
]

test.serial('a wallet, a key and a session have the promised shapes, with an entity tag and the position of the read model', async (t) => {
  const side = await startReadSide(t)
  const { walletId, keyId, sessionId } = await projectAll(side, 'acme')
  const get = async (path: string) => side.app.call('GET', `${path}?minPosition=${side.position()}`)

  const wallet = await get(`/v1/wallets/${walletId}`)
  const { walletId: _, ...fields } = walletFields()
  t.deepEqual(wallet.json, { walletId, ...fields, position: '2' })
  t.is(wallet.headers.get('etag'), '"0"')
  t.is(wallet.headers.get('quorate-position'), '5')

  const key = await get(`/v1/keys/${keyId}`)
  t.like(key.json, {
    keyId,
    walletId,
    status: 'pending',
    threshold: 2,
    parties: ['party-1', 'party-2', 'party-3'],
    publicKey: null,
    epoch: 0,
    position: '3',
  })
  t.false('failure' in key.json)

  const session = await get(`/v1/signing-sessions/${sessionId}`)
  t.like(session.json, { sessionId, keyId, status: 'requested', signers: [], attempt: 0, approvals: null, position: '4' })
  t.false('signature' in session.json || 'failure' in session.json || 'round' in session.json)
})

test.serial('a session shows typed data as they were sent, whatever names the client has chosen', async (t) => {
  const side = await startReadSide(t)
  const typedData = JSON.parse('{"message": {"_bsontype": "Long", "$set": {"a.b": 9007199254740991}, "__proto__": 1}}')
  const session = { ...sessionFields(randomUUID(), randomUUID()), payload: payloadToStore({ kind: 'eip712', typedData }) }
  await side.project('signing_sessions', session.sessionId, session)
  const { text } = await side.app.call('GET', `/v1/signing-sessions/${session.sessionId}?minPosition=${side.position()}`)
  t.true(text.includes(`"payload":{"kind":"eip712","typedData":${JSON.stringify(typedData)}}`))
})

test.serial("another tenant's documents are answered exactly as unknown ones; the platform sees all", async (t) => {
  const side = await startReadSide(t)
  const ids = await projectAll(side, 'acme')
  const unknown = { walletId: randomUUID(), keyId: randomUUID(), sessionId: randomUUID(), accountId: randomUUID() }
  const impossible = { walletId: 'x', keyId: 'x', sessionId: 'x', accountId: 'x' }
  const as = async (tenant: string, path: string) => {
    const authorization = `Bearer ${await side.app.token({ tenant, roles: ['auditor'] })}`
    const { status, json, headers } = await side.app.call('GET', path, { authorization, headers: { 'x-correlation-id': 'c' } })
    return { status, json, position: headers.get('quorate-position') }
  }
  for (const [index, path] of paths(ids).entries()) {
    const foreign = await as('other', path)
    t.is(foreign.status, 404, path)
    t.deepEqual(foreign, await as('other', paths(unknown)[index]!))
    t.deepEqual(foreign, await as('other', paths(impossible)[index]!))
    t.is((await as('acme', path)).status, 200, path)
    t.is((await as('*', path)).status, 200, path)
  }
})

test.serial('only clients, approvers and auditors read, each what is theirs to read', async (t) => {
  const side = await startReadSide(t)
  const ids = await projectAll(side, 'acme')
  const statuses = async (role: 'client' | 'approver' | 'operator' | 'data') => {
    const authorization = `Bearer ${await side.app.token({ roles: [role] })}`
    return Promise.all(paths(ids).map(async (path) => (await side.app.call('GET', path, { authorization })).status))
  }
  t.deepEqual(await statuses('client'), [200, 200, 200, 200, 200, 200, 200])
  t.deepEqual(await statuses('approver'), [403, 403, 403, 403, 403, 403, 200])
  t.deepEqual(await statuses('operator'), [403, 403, 403, 403, 403, 403, 403])
  t.deepEqual(await statuses('data'), [403, 403, 403, 403, 403, 403, 403])
})

test.serial('the history is read page by page, the newest first, each event once', async (t) => {
  const side = await startReadSide(t)
  const wallet = walletFields()
  await side.project('wallets', wallet.walletId, wallet)
  for (let n = 1; n <= 5; n++) {
    const id = String(side.position() + 1n).padStart(20, '0')
    const data = { name: `event ${n}` }
    const event = {
      walletId: wallet.walletId,
      tenant: 'acme',
      type: 'PolicyChanged',
      at: wallet.createdAt!,
      actor: 'alice',
      stream: 's',
      revision: n,
      data,
    }
    await side.project('wallet_history', id, event)
  }
  const path = `/v1/wallets/${wallet.walletId}/history`
  const seen: unknown[] = []
  let cursor: string | null = ''
  let pages = 0
  while (cursor !== null) {
    const { json } = await side.app.call('GET', `${path}?limit=2${cursor && `&cursor=${cursor}`}`)
    seen.push(...json.items.map(({ data }: { data: { name: string } }) => data.name))
    cursor = json.nextCursor
    pages += 1
  }
  t.deepEqual([seen, pages], [['event 5', 'event 4', 'event 3', 'event 2', 'event 1'], 3])

  const exact = await side.app.call('GET', `${path}?limit=5`)
  t.is(exact.json.nextCursor, null)
  t.like(exact.json.items[0], { type: 'PolicyChanged', actor: 'alice', position: '7' })
  t.false('_id' in exact.json.items[0])
  const again = await side.app.call('GET', `${path}?limit=5`, { headers: { 'if-none-match': exact.headers.get('etag')! } })
  t.is(again.status, 304)
})

test.serial('a cursor that this list has not given out is refused', async (t) => {
  const side = await startReadSide(t)
  const { walletId } = await projectAll(side, 'acme')
  const encode = (text: string) => Buffer.from(text).toString('base64url')
  for (const cursor of [
    'x',
    '',
    '%00',
    encode('keys:1'),
    encode('wallet_history:'),
    encode('wallet_history:{"$gt":""}'),
    `${encode('wallet_history:1')}=`,
  ]) {
    const { status, json } = await side.app.call('GET', `/v1/wallets/${walletId}/history?cursor=${cursor}`)
    t.deepEqual([status, json.code, json.errors[0].parameter], [400, 'invalid_cursor', 'cursor'], cursor)
  }
})

test.serial('an account has the promised shape', async (t) => {
  const side = await startReadSide(t)
  const { accountId, walletId, keyId } = await projectAll(side, 'acme')
  const { status, json, headers } = await side.app.call('GET', `/v1/accounts/${accountId}?minPosition=${side.position()}`)
  t.is(status, 200)
  t.deepEqual(json, { ...accountFields(keyId, walletId), accountId, position: '5' })
  t.is(headers.get('etag'), '"0"')
})

test.serial("a wallet's accounts are listed page by page, each once, and no others", async (t) => {
  const side = await startReadSide(t)
  const mine = await projectAll(side, 'acme')
  await projectAll(side, 'acme')
  const expected = [mine.accountId]
  for (let n = 1; n < 5; n++) {
    const account = accountFields(mine.keyId, mine.walletId)
    await side.project('accounts', account.accountId, account)
    expected.push(account.accountId)
  }
  const seen: string[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const { json } = await side.app.call('GET', `/v1/wallets/${mine.walletId}/accounts?limit=2${cursor && `&cursor=${cursor}`}`)
    seen.push(...json.items.map(({ accountId }: { accountId: string }) => accountId))
    cursor = json.nextCursor
  }
  t.deepEqual(seen, expected.toSorted())
})

test.serial('the chains that accounts can be opened on are listed', async (t) => {
  const side = await startReadSide(t)
  const { status, json } = await side.app.call('GET', '/v1/chains')
  t.is(status, 200)
  t.is(json.nextCursor, null)
  t.deepEqual(
    json.items.find(({ chain }: { chain: string }) => chain === 'eip155:137'),
    { chain: 'eip155:137', name: 'Polygon', schemes: ['dkls23-secp256k1'], nativeAsset: 'eip155:137/slip44:966' },
  )
  const authorization = `Bearer ${await side.app.token({ roles: ['operator'] })}`
  t.is((await side.app.call('GET', '/v1/chains', { authorization })).status, 403)
})

test.serial("a wallet's keys are listed, and no others", async (t) => {
  const side = await startReadSide(t)
  const mine = await projectAll(side, 'acme')
  await projectAll(side, 'acme')
  const { json } = await side.app.call('GET', `/v1/wallets/${mine.walletId}/keys`)
  t.deepEqual(
    json.items.map(({ keyId }: { keyId: string }) => keyId),
    [mine.keyId],
  )
  t.is(json.nextCursor, null)
})

test.serial('parties are listed for operators of the platform, also those that have done nothing yet', async (t) => {
  const side = await startReadSide(t)
  await side.project('parties', 'party-2', { partyId: 'party-2', signatures: 3, lastSignatureAt: '2026-01-01T00:00:00.000Z' })
  const as = async (tenant: string) =>
    side.app.call('GET', '/v1/parties', { authorization: `Bearer ${await side.app.token({ tenant, roles: ['operator'] })}` })
  const unknown = { circuit: null, health: null, coordinators: [] }
  t.is((await as('acme')).status, 403)
  t.deepEqual((await as('*')).json, {
    items: [
      { partyId: 'party-1', up: true, ...unknown, sharesGenerated: 0, signatures: 0, failures: 0 },
      {
        partyId: 'party-2',
        up: false,
        ...unknown,
        sharesGenerated: 0,
        signatures: 3,
        failures: 0,
        lastSignatureAt: '2026-01-01T00:00:00.000Z',
        position: '2',
      },
    ],
    nextCursor: null,
  })
})

test.serial('parties and metrics show the worst that any coordinator thinks, and what waits at all of them', async (t) => {
  const side = await startReadSide(t)
  const view: PartyReport = {
    partyId: 'party-1',
    circuit: 'closed',
    openUntil: null,
    failuresInARow: 0,
    score: 0.9,
    latencyMs: 20,
    timeoutMs: 500,
  }
  const open: PartyReport = {
    ...view,
    circuit: 'open',
    openUntil: '2026-01-01T00:00:30.000Z',
    failuresInARow: 3,
    score: 0.6,
    latencyMs: null,
  }
  const endpoint: EndpointReport = {
    chain: 'eip155:1',
    endpoint: 0,
    state: 'down',
    seconds: 1.5,
    outcomes: { answered: 5, refused: 1, failed: 2, rate_limited: 0 },
    errors: { timeout: 2, '-32000': 1 },
  }
  const say = async (coordinatorId: string, party: PartyReport, depth: number, seen: Partial<CoordinatorReport> = {}) => {
    const report = {
      coordinatorId,
      startedAt: '2026-01-01T00:00:00.000Z',
      leaving: false,
      parties: [party],
      queue: { depth, capacity: 10_000 },
      running: 2,
      ...seen,
    }
    const signed = await signReport(side.coordinator, Date.now(), report)
    side.messages.publish(`quorate.coordinators.${coordinatorId}`, Buffer.from(JSON.stringify(signed)))
  }
  await say('c1', view, 3)
  await say('c2', open, 4, { endpoints: [endpoint] })
  await side.messages.ping()
  const authorization = `Bearer ${await side.app.token({ tenant: '*', roles: ['operator'] })}`
  const { json } = await side.app.call('GET', '/v1/parties', { authorization })
  const { partyId: _, ...closedView } = view
  const { partyId: __, ...openView } = open
  t.like(json.items[0], {
    partyId: 'party-1',
    circuit: 'open',
    health: 0.6,
    coordinators: [
      { coordinatorId: 'c1', ...closedView },
      { coordinatorId: 'c2', ...openView },
    ],
  })
  const metrics = (await side.app.call('GET', '/metrics', { authorization: null })).text
  for (const line of [
    'quorate_party_circuit_state{party="party-1"} 2',
    'quorate_party_health_score{party="party-1"} 0.6',
    'quorate_party_latency_milliseconds{party="party-1"} 20',
    'quorate_party_timeout_milliseconds{party="party-1"} 500',
    'quorate_coordinators 2',
    'quorate_signing_queue_depth 7',
    'quorate_signing_sessions_running 4',
    'quorate_coordinator_rpc_endpoint_up{coordinator="c2",chain="eip155:1",endpoint="0"} 0',
    'quorate_coordinator_rpc_calls_total{coordinator="c2",chain="eip155:1",endpoint="0",outcome="failed"} 2',
    'quorate_coordinator_rpc_errors_total{coordinator="c2",chain="eip155:1",endpoint="0",code="timeout"} 2',
    'quorate_coordinator_rpc_call_seconds_total{coordinator="c2",chain="eip155:1",endpoint="0"} 1.5',
  ])
    t.true(metrics.includes(`${line}\n`), line)
  t.false(metrics.includes('party="party-2"'))
})

test.serial('a read with minPosition waits for the read model, and says so when it does not come', async (t) => {
  const side = await startReadSide(t)
  const wallet = walletFields()
  const path = `/v1/wallets/${wallet.walletId}`
  const waiting = side.app.call('GET', path, { headers: { 'quorate-min-position': '2' } })
  const late = side.app.call('GET', `${path}?minPosition=99`)
  await side.project('wallets', wallet.walletId, wallet)
  t.is((await waiting).status, 200)
  const behind = await late
  t.deepEqual(
    [behind.status, behind.json.code, behind.json.retryable, behind.headers.get('retry-after')],
    [503, 'read_model_behind', true, '1'],
  )
})

test.serial('a document that this process has just caused is waited for; others are not', async (t) => {
  const side = await startReadSide(t)
  const wallet = walletFields()
  const path = `/v1/wallets/${wallet.walletId}`
  const before = await side.app.call('GET', path)
  t.is(before.status, 404)
  side.models.expect(2n)
  const waiting = side.app.call('GET', path)
  await side.project('wallets', wallet.walletId, wallet)
  t.is((await waiting).status, 200)
  await side.messages.ping()
  // expected and projected: unknown is unknown at once
  const times: number[] = []
  for (let n = 0; n < 5; n++) {
    const started = Date.now()
    t.is((await side.app.call('GET', `/v1/wallets/${randomUUID()}`)).status, 404)
    times.push(Date.now() - started)
  }
  t.true(Math.min(...times) < 400)
})

test.serial('Prefer: wait=N answers as soon as the key is terminal', async (t) => {
  const side = await startReadSide(t)
  const key = keyFields(randomUUID())
  await side.project('keys', key.keyId, key)
  const started = Date.now()
  const waiting = side.app.call('GET', `/v1/keys/${key.keyId}`, { headers: { prefer: 'wait=30' } })
  await side.project('keys', key.keyId, { status: 'generating', revision: 1 })
  await side.project('keys', key.keyId, { status: 'active', publicKey: 'ab', epoch: 1, revision: 2 })
  const { status, json, headers } = await waiting
  t.deepEqual([status, json.status, json.publicKey, headers.get('preference-applied')], [200, 'active', 'ab', 'wait=30'])
  t.true(Date.now() - started < 5_000)
})

test.serial('Prefer: wait=N on a session that does not exist yet waits for it, when this process has asked for it', async (t) => {
  const side = await startReadSide(t)
  const session = sessionFields(randomUUID(), randomUUID())
  side.models.expect(2n)
  const waiting = side.app.call('GET', `/v1/signing-sessions/${session.sessionId}`, { headers: { prefer: 'wait=30' } })
  await side.project('signing_sessions', session.sessionId, session)
  await side.project('signing_sessions', session.sessionId, { status: 'signed', signature: 'ab', signers: ['party-1'], revision: 5 })
  t.like((await waiting).json, { status: 'signed', signature: 'ab', signers: ['party-1'] })
})

test.serial('Prefer: wait=N answers with what there is when the time is up', async (t) => {
  const side = await startReadSide(t)
  const key = keyFields(randomUUID())
  await side.project('keys', key.keyId, key)
  const started = Date.now()
  const { status, json } = await side.app.call('GET', `/v1/keys/${key.keyId}`, { headers: { prefer: 'wait=1' } })
  t.deepEqual([status, json.status], [200, 'pending'])
  t.true(Date.now() - started >= 990)
})

test.serial('a change whose message was lost is seen when a worker next says how far it is', async (t) => {
  const side = await startReadSide(t)
  const key = keyFields(randomUUID())
  await side.project('keys', key.keyId, key)
  const waits = onceWaitedFor(side.models.freshness.keys)
  const answer = side.app.call('GET', `/v1/keys/${key.keyId}`, { headers: { prefer: 'wait=30' } })
  await waits
  const started = Date.now()
  const set = { status: 'failed', failure: { code: 'x', culprits: [] } }
  const writes = [{ collection: collectionOf(side.builds.keys, 'keys'), id: key.keyId, create: false, set }]
  await side.documents.apply([{ position: 50n, writes }])
  side.worker.report(side.builds.keys, { position: '50' })
  t.like((await answer).json, set)
  // By itself it looks again after 5 s.
  t.true(Date.now() - started < 4_500)
})

test.serial('a connection lost so shortly that no report tells of it costs a few seconds', async (t) => {
  const side = await startReadSide(t)
  const key = keyFields(randomUUID())
  await side.project('keys', key.keyId, key)
  const waits = onceWaitedFor(side.models.freshness.keys)
  const answer = side.app.call('GET', `/v1/keys/${key.keyId}`, { headers: { prefer: 'wait=30' } })
  await waits
  const writes = [{ collection: collectionOf(side.builds.keys, 'keys'), id: key.keyId, create: false, set: { status: 'revoked' } }]
  await side.documents.apply([{ position: 50n, writes }])
  t.like((await answer).json, { status: 'revoked' })
})

/** Resolves when a request has begun to wait for a change. */
function onceWaitedFor(freshness: Freshness): Promise<void> {
  const { changed } = freshness
  return new Promise((resolve) => {
    freshness.changed = (...args) => {
      resolve()
      return changed(...args)
    }
  })
}
