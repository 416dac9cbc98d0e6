import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import { openRaw } from './testing/raw-connection.ts'
import { runApp } from './testing/running-app.ts'
import { exampleRoutes, type SeenRequest, SPEND, WALLET_ID } from './testing/transfer-route.ts'

const balance = `/v1/wallets/${WALLET_ID}/balance`
const spend = `/v1/wallets/${WALLET_ID}/spend`

const aborted = (signal: AbortSignal) => new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

/** A promise, and the function that fulfils it. */
function gate<T = void>() {
  let open: (value: T) => void = () => {}
  const passed = new Promise<T>((resolve) => {
    open = resolve
  })
  return { passed, open }
}

test('a handler that does not come back is answered for after the deadline', async (t) => {
  const never = gate()
  const app = await runApp(
    t,
    exampleRoutes(() => never.passed),
    { handlerTimeoutMs: 50 },
  )
  const reply = await app.call('POST', spend, { body: SPEND })
  t.is(reply.status, 503)
  t.like(reply.json, { code: 'deadline_exceeded', retryable: true })
  never.open()
})

test('a handler told to stop waiting at the deadline still gets to answer', async (t) => {
  const app = await runApp(
    t,
    exampleRoutes(({ signal }) => aborted(signal)),
    { handlerTimeoutMs: 50 },
  )
  t.is((await app.call('GET', balance)).status, 200)
})

test('Prefer: wait=N is read within its bound and extends the deadline by as much', async (t) => {
  const waits: number[] = []
  const app = await runApp(
    t,
    exampleRoutes(async ({ signal, preferWaitSeconds }) => {
      waits.push(preferWaitSeconds)
      if (preferWaitSeconds === 2) await Promise.race([aborted(signal), delay(1_500)])
      if (signal.aborted) throw new Error('too early')
    }),
    { handlerTimeoutMs: 1_000 },
  )
  for (const prefer of ['wait=2', 'respond-async, wait="9"', 'wait=600', 'wait=-1', 'wait=x', 'await=5'])
    t.is((await app.call('GET', balance, { headers: { prefer } })).status, 200, prefer)
  t.deepEqual(waits, [2, 9, 60, 0, 0, 0])
})

test('a handler is told when the client has gone away', async (t) => {
  const inside = gate<SeenRequest>()
  const app = await runApp(
    t,
    exampleRoutes((request) => {
      inside.open(request)
      return aborted(request.signal)
    }),
  )
  const connection = new AbortController()
  const authorization = `Bearer ${await app.token()}`
  const call = fetch(app.url + balance, { headers: { authorization }, signal: connection.signal })
  const { signal } = await inside.passed
  t.false(signal.aborted)
  const told = aborted(signal)
  connection.abort()
  await t.throwsAsync(call, { any: true })
  await told
  t.true(signal.aborted)
})

test('closing tells waiting handlers to answer, lets the others finish, and takes no more connections', async (t) => {
  const inside = gate()
  const release = gate()
  const app = await runApp(
    t,
    exampleRoutes(async ({ method, signal }) => {
      if (method === 'GET') return aborted(signal)
      inside.open()
      return release.passed
    }),
  )
  const working = app.call('POST', spend, { body: SPEND })
  await inside.passed
  const waiting = app.call('GET', balance, { headers: { prefer: 'wait=60' } })
  await t.throwsAsync(Promise.race([waiting, delay(100).then(() => Promise.reject(new Error('it waits')))]), { message: 'it waits' })
  const closed = app.server.close()
  t.is((await waiting).status, 200)
  await t.throwsAsync(fetch(`${app.url}/healthz`))
  release.open()
  t.is((await working).status, 202)
  await closed
})

test('what is not HTTP, or has too large headers, is refused with problem details', async (t) => {
  const app = await runApp(t, exampleRoutes())
  for (const [bytes, status, code] of [
    ['NONSENSE\r\n\r\n', 400, 'malformed_request'],
    [`GET ${balance} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`, 400, 'malformed_request'],
    [`GET ${balance} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'headers_too_large'],
  ] as const) {
    const connection = openRaw(t, app.url)
    connection.send(bytes)
    const text = await connection.closed()
    t.true(text.startsWith(`HTTP/1.1 ${status} `), text)
    t.is(JSON.parse(text.slice(text.indexOf('\r\n\r\n'))).code, code)
  }
})

test('odd request targets are answered, never with a 500', async (t) => {
  const app = await runApp(t, exampleRoutes())
  for (const target of [
    '*',
    'http://[::',
    'http://x y',
    '//',
    '/%',
    '/%zz?%',
    '/v1/wallets/%E0%A4%A/balance',
    '/?a[__proto__]=1',
    'http://other/healthz',
  ]) {
    const connection = openRaw(t, app.url)
    connection.send(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    t.regex(await connection.closed(), /^HTTP\/1\.1 (200|400|401|404) /, target)
  }
})
