import test from 'ava'
import { runApp } from './testing/running-app.ts'
import { exampleRoutes, WALLET_ID } from './testing/transfer-route.ts'

const open = { authorization: null }

test('a living process says so, ready or not', async (t) => {
  const app = await runApp(t, [], { checks: [{ name: 'log', check: () => Promise.reject(new Error('down')) }] })
  const reply = await app.call('GET', '/healthz', open)
  t.deepEqual([reply.status, reply.json], [200, { status: 'alive' }])
})

test('it is ready when every check passes, and names those that fail without saying why', async (t) => {
  let down = true
  const app = await runApp(t, [], {
    checks: [
      { name: 'log', check: async () => undefined },
      { name: 'read models', check: () => (down ? Promise.reject(new Error('mongodb://user:secret@host')) : Promise.resolve()) },
    ],
  })
  const failing = await app.call('GET', '/readyz', open)
  t.is(failing.status, 503)
  t.deepEqual(failing.json, {
    status: 'not_ready',
    checks: [
      { name: 'log', status: 'ok' },
      { name: 'read models', status: 'failing' },
    ],
  })
  down = false
  const ready = await app.call('GET', '/readyz', open)
  t.deepEqual([ready.status, ready.json.status], [200, 'ready'])
})

test('a check that hangs fails within a bound', async (t) => {
  const app = await runApp(t, [], { checks: [{ name: 'messages', check: () => new Promise(() => undefined) }] })
  const reply = await app.call('GET', '/readyz', open)
  t.deepEqual([reply.status, reply.json.checks], [503, [{ name: 'messages', status: 'failing' }]])
})

test('requests are counted by route template and status', async (t) => {
  const app = await runApp(t, exampleRoutes())
  await app.call('GET', `/v1/wallets/${WALLET_ID}/balance`)
  await app.call('GET', '/v1/wallets/x/balance')
  await app.call('GET', '/nowhere')
  const { text, headers } = await app.call('GET', '/metrics', open)
  t.regex(headers.get('content-type') ?? '', /^text\/plain/)
  for (const labels of [
    'route="GET /v1/wallets/:walletId/balance",status="200"',
    'route="GET /v1/wallets/:walletId/balance",status="404"',
    'route="unmatched",status="404"',
  ])
    t.true(text.includes(`quorate_http_request_duration_seconds_count{${labels}} 1`), labels)
  t.true(text.includes('process_cpu_seconds_total'))
})
