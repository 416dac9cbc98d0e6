import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { webhookUrlCheck } from '../../adapters/webhooks/check-url.ts'
import { withCurrentEvents } from '../../domain/current-events.ts'
import { openApiViolations } from '../../http/testing/openapi-rules.ts'
import { runApp } from '../../http/testing/running-app.ts'
import { startLog } from '../testing/counter.ts'
import { webhookCommandRoutes } from './routes.ts'

const URL = 'https://8.8.8.8/hook'

async function start(t: ExecutionContext, { there = 0, allowPrivate = false } = {}) {
  const log = withCurrentEvents(await startLog(t))
  const checkUrl = webhookUrlCheck({ allowPrivate })
  const app = await runApp(t, webhookCommandRoutes({ log, projections: ['wallets', 'transfers'], checkUrl, count: async () => there }))
  const post = async (
    path: string,
    body?: object,
    { tenant = 'acme', headers = {} }: { tenant?: string; headers?: Record<string, string> } = {},
  ) => app.call('POST', `/v1/webhooks${path}`, { body, headers, authorization: `Bearer ${await app.token({ tenant, roles: ['data'] })}` })
  const typesOf = async (webhookId: string) => {
    const types: string[] = []
    for await (const { type } of log.readStream(`webhook-${webhookId}`)) types.push(type)
    return types
  }
  return { app, log, post, typesOf }
}

test('a webhook is registered, disabled, enabled, tested, sent to again and deleted', async (t) => {
  const { post, typesOf } = await start(t)
  const { status, json, headers } = await post('', {
    url: URL,
    projection: 'transfers',
    types: ['TransferConfirmed'],
    wallet: randomUUID(),
  })
  t.is(status, 201)
  const { webhookId } = json
  t.is(headers.get('location'), `/v1/webhooks/${webhookId}`)
  t.truthy(headers.get('quorate-position'))
  for (const action of ['disable', 'enable', 'test']) t.is((await post(`/${webhookId}/${action}`)).status, 202)
  const asked = await post(`/${webhookId}/resend`, { from: '2026-01-01', status: 'failed' })
  t.is(asked.status, 202)
  t.is((await post(`/${webhookId}/delete`)).status, 202)
  t.like(await post(`/${webhookId}/enable`), { status: 404 })
  const expected = ['Registered', 'Disabled', 'Enabled', 'TestRequested', 'ResendRequested', 'Deleted'].map((type) => `Webhook${type}`)
  t.deepEqual(await typesOf(webhookId), expected)
})

test('the same request under one idempotency key registers one webhook', async (t) => {
  const { post, typesOf } = await start(t)
  const headers = { 'idempotency-key': 'k1' }
  const first = await post('', { url: URL }, { headers })
  t.deepEqual((await post('', { url: URL }, { headers })).json, first.json)
  t.is((await post('', { url: `${URL}2` }, { headers })).json.code, 'idempotency_key_reused')
  t.deepEqual(await typesOf(first.json.webhookId), ['WebhookRegistered'])
})

for (const url of [
  ...[
    'http://8.8.8.8/',
    'https://127.0.0.1/',
    'https://localhost/',
    'https://[::1]/',
    'https://10.0.0.1',
    'https://169.254.169.254/',
    'nonsense',
  ],
  ...['https://user:password@8.8.8.8/', 'file:///etc/passwd', 'https://0x7f000001/'],
])
  test(`${url} is no address of a webhook`, async (t) => {
    const { post } = await start(t)
    const { status, json } = await post('', { url })
    t.deepEqual([status, json.code, json.errors[0].pointer], [422, 'webhook_url_not_allowed', '/url'])
  })

test('a receiver on the own machine is allowed where the setting says so', async (t) => {
  const { post } = await start(t, { allowPrivate: true })
  t.is((await post('', { url: 'http://127.0.0.1:9/' })).status, 201)
})

test('what is asked for wrongly is refused by its field', async (t) => {
  const { post } = await start(t)
  const refused = async (body: object, path = '') => {
    const { json } = await post(path, body)
    return [json.code, json.errors?.[0]?.pointer]
  }
  t.deepEqual(await refused({}), ['validation_failed', '/url'])
  t.deepEqual(await refused({ url: URL, projection: 'nothing' }), ['validation_failed', '/projection'])
  t.deepEqual(await refused({ url: URL, types: ['a;b'] }), ['validation_failed', '/types'])
  t.deepEqual(await refused({ url: URL, wallet: 'mine' }), ['validation_failed', '/wallet'])
  const { webhookId } = (await post('', { url: URL })).json
  t.deepEqual(await refused({}, `/${webhookId}/resend`), ['validation_failed', '/from'])
  t.deepEqual(await refused({ from: 'yesterday' }, `/${webhookId}/resend`), ['validation_failed', '/from'])
  t.deepEqual(await refused({ from: '0', to: 'x' }, `/${webhookId}/resend`), ['validation_failed', '/to'])
  t.deepEqual(await refused({ from: '0', status: 'x' }, `/${webhookId}/resend`), ['validation_failed', '/status'])
})

test('a webhook of another tenant is not there, and other roles may do nothing', async (t) => {
  const { app, post, typesOf } = await start(t)
  const { webhookId } = (await post('', { url: URL })).json
  for (const action of ['disable', 'enable', 'delete', 'test'])
    t.like((await post(`/${webhookId}/${action}`, undefined, { tenant: 'other' })).json, { status: 404, code: 'webhook_not_found' })
  t.is((await post(`/${webhookId}/resend`, { from: '0' }, { tenant: 'other' })).status, 404)
  t.is((await post(`/${webhookId}/disable`, undefined, { tenant: '*' })).status, 202)
  const client = `Bearer ${await app.token({ roles: ['client', 'auditor', 'approver'] })}`
  t.is((await app.call('POST', '/v1/webhooks', { body: { url: URL }, authorization: client })).status, 403)
  t.deepEqual(await typesOf(webhookId), ['WebhookRegistered', 'WebhookDisabled'])
})

test('a tenant has a bounded number of webhooks', async (t) => {
  const { post } = await start(t, { there: 50 })
  t.is((await post('', { url: URL })).json.code, 'too_many_webhooks')
})

test('the routes are described as what they are', async (t) => {
  const { app } = await start(t)
  t.deepEqual(openApiViolations((await app.call('GET', '/openapi.json', { authorization: null })).json), [])
})
