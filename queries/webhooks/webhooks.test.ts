import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { startEmbeddedEventStore } from '../../adapters/embedded/eventstore/server.ts'
import { connectEventLog } from '../../adapters/eventstore/event-log.ts'
import { webhookRecords } from '../../adapters/eventstore/webhook-records.ts'
import { newIdentity } from '../../adapters/identity/testing/coordinator.ts'
import { publicSigningKey } from '../../adapters/identity/webhook-keys.ts'
import type { JsonObject } from '../../domain/ports/event-log.ts'
import type { DeliveryAttempt } from '../../domain/ports/webhook-records.ts'
import { runApp } from '../../http/testing/running-app.ts'
import { announceKeys, withdrawKey } from '../../webhooks/announced-keys.ts'
import { startReadSide } from '../testing/read-side.ts'
import { countWebhooks } from './list-webhooks.ts'
import { webhookQueryRoutes } from './routes.ts'
import { webhookSigningKeys } from './signing-keys.ts'

const AT = '2026-01-01T00:00:00.000Z'

async function startLog(t: ExecutionContext) {
  const server = await startEmbeddedEventStore({ port: 0 })
  const log = connectEventLog({ url: server.url })
  t.teardown(async () => {
    await log.close()
    await server.close()
  })
  return log
}

async function start(t: ExecutionContext) {
  const side = await startReadSide(t)
  const log = await startLog(t)
  const records = webhookRecords(log)
  const app = await runApp(t, webhookQueryRoutes(side.models, records), { publicKeys: webhookSigningKeys(log) })
  const get = async (path: string, tenant = 'acme') =>
    (await app.call('GET', path, { authorization: `Bearer ${await app.token({ tenant, roles: ['data'] })}` })).json
  return { ...side, app, log, records, get }
}

const fields = (tenant: string, changes: JsonObject = {}): JsonObject => ({
  ...{ tenant, url: 'https://hooks.example.com', projection: null, types: null, wallet: null, description: '', status: 'enabled' },
  ...{ reason: null, isListed: true, createdAt: AT, updatedAt: AT, revision: 0, ...changes },
})

function attempt(n: number, changes: Partial<DeliveryAttempt> = {}): DeliveryAttempt {
  return {
    ...{ eventId: `00000000-0000-4000-8000-00000000000${n}`, type: n % 2 === 0 ? 'WalletFrozen' : 'WalletUnfrozen', stream: 'wallet-1' },
    ...{ revision: String(n), position: String(100 + n), time: `2026-01-0${n}T00:00:00.000Z`, attempt: 1, at: AT, latencyMs: 12 },
    ...{ status: 'delivered', responseStatus: 200, code: null, nextAttemptAt: null, resendId: null },
    ...changes,
  }
}

test('webhooks are listed and shown to their tenant; one that was deleted is not there', async (t) => {
  const { project, get, models } = await start(t)
  const [own, other, deleted] = [randomUUID(), randomUUID(), randomUUID()]
  await project('webhooks', own, { webhookId: own, ...fields('acme') })
  await project('webhooks', deleted, { webhookId: deleted, ...fields('acme', { status: 'deleted', isListed: false }) })
  await project('webhooks', other, { webhookId: other, ...fields('other') })
  const idsOf = async (tenant: string) => (await get('/v1/webhooks', tenant)).items.map(({ webhookId }: { webhookId: string }) => webhookId)
  t.deepEqual(await idsOf('acme'), [own])
  t.deepEqual(await idsOf('*'), [own, other].sort())
  t.like(await get(`/v1/webhooks/${own}`), { webhookId: own, status: 'enabled', url: 'https://hooks.example.com' })
  for (const [id, tenant] of [
    [deleted, 'acme'],
    [deleted, '*'],
    [other, 'acme'],
  ])
    t.like(await get(`/v1/webhooks/${id}`, tenant), { status: 404, code: 'webhook_not_found' })
  const principal = { sub: 'a', tenant: 'acme', roles: [] }
  t.is(await countWebhooks(models, { principal, signal: new AbortController().signal }), 1)
})

test('the delivery log tells every event with its attempts, by status, type and time, in pages', async (t) => {
  const { project, get, records } = await start(t)
  const id = randomUUID()
  await project('webhooks', id, { webhookId: id, ...fields('acme') })
  await records.addAttempts(id, [
    attempt(1),
    attempt(2, { status: 'retrying', responseStatus: 500, code: 'refused', nextAttemptAt: AT }),
    attempt(3, { status: 'failed', responseStatus: null, code: 'timed_out' }),
    attempt(2, { attempt: 2 }),
    attempt(4),
  ])
  const path = `/v1/webhooks/${id}/deliveries`
  const positions = async (query = '') => (await get(path + query)).items.map(({ position }: { position: string }) => position)
  t.deepEqual(await positions(), ['104', '103', '102', '101'])
  const [second] = (await get(`${path}?from=102&to=102`)).items
  t.like(second, { status: 'delivered', type: 'WalletFrozen', subject: 'wallet-1', nextAttemptAt: null })
  t.deepEqual(
    second.attempts.map(({ attempt, code }: { attempt: number; code: string | null }) => [attempt, code]),
    [
      [1, 'refused'],
      [2, null],
    ],
  )
  t.deepEqual(await positions('?status=failed'), ['103'])
  t.deepEqual(await positions('?type=WalletFrozen'), ['104', '102'])
  t.deepEqual(await positions('?from=2026-01-02&to=2026-01-03'), ['103', '102'])
  const page = await get(`${path}?limit=3`)
  t.deepEqual(await positions(`?limit=3&cursor=${page.nextCursor}`), ['101'])
  t.is((await get(`${path}?cursor=x`)).code, 'invalid_cursor')
  t.is((await get(`${path}?from=x`)).code, 'invalid_parameter')
  t.is((await get(path, 'other')).code, 'webhook_not_found')
})

test('how far deliveries are is told with the webhook', async (t) => {
  const { project, get, records } = await start(t)
  const id = randomUUID()
  await project('webhooks', id, { webhookId: id, ...fields('acme') })
  t.is((await get(`/v1/webhooks/${id}`)).deliveries, undefined)
  const waiting = [{ stream: 'wallet-1', revision: '3', attempts: 2, since: 1, dueAt: 2 }]
  const resends = { r: { through: '5', delivered: 4, failed: 1, failing: null } }
  await records.writeProgress(
    id,
    { claim: null, through: '77', failingSince: Date.parse(AT), leftAloneUntil: 0, waiting, resends },
    undefined,
  )
  t.deepEqual((await get(`/v1/webhooks/${id}`)).deliveries, {
    ...{ through: '77', waiting: 1, failingSince: AT, resends: [{ resendId: 'r', delivered: 4, failed: 1 }] },
  })
})

test('the keys are for everybody, the newest first, and an old one stays until it is withdrawn', async (t) => {
  const log = await startLog(t)
  const publicKeys = webhookSigningKeys(log)
  const app = await runApp(t, [], { publicKeys })
  const [old, current] = [publicSigningKey(newIdentity('old')), publicSigningKey(newIdentity('current'))]
  await announceKeys(log, [old], '*')
  await announceKeys(log, [old, current], '*')
  const { json, headers } = await app.call('GET', '/.well-known/jwks.json', { authorization: null })
  t.deepEqual(json, { keys: [current, old] })
  t.regex(headers.get('content-type') ?? '', /^application\/jwk-set\+json/)
  t.regex(headers.get('cache-control') ?? '', /max-age/)
  t.false(JSON.stringify(json).includes('"d"'))
  await withdrawKey(log, 'old', '*')
  t.deepEqual(await webhookSigningKeys(log)(), { keys: [current] })
  await t.throwsAsync(withdrawKey(log, 'old', '*'), { message: /not listed/ })
})
