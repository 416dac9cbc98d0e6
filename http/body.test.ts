import { Agent, request as httpRequest } from 'node:http'
import test from 'ava'
import { MAX_BODY_BYTES } from './body.ts'
import { openRaw } from './testing/raw-connection.ts'
import { type RunningApp, runApp } from './testing/running-app.ts'
import { exampleRoutes, SPEND, WALLET_ID } from './testing/transfer-route.ts'

const path = `/v1/wallets/${WALLET_ID}/spend`

/** With `node:http`, which tells which connection was used. */
async function post(app: RunningApp, agent: Agent, body: Buffer | string, headers: Record<string, string | number> = {}) {
  const authorization = `Bearer ${await app.token()}`
  return new Promise<{ status: number; text: string; connection: number | undefined }>((resolve, reject) => {
    const request = httpRequest(app.url + path, {
      method: 'POST',
      agent,
      headers: { authorization, 'content-type': 'application/json', ...headers },
    })
    request.on('response', (response) => {
      const connection = response.socket.localPort
      let text = ''
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text, connection }))
    })
    request.on('error', reject)
    request.end(body)
  })
}

test('a body that is too large is refused with 413, and the connection lives on', async (t) => {
  const app = await runApp(t, exampleRoutes())
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  const large = Buffer.alloc(2 * 1024 * 1024, 'x')
  const before = await post(app, agent, JSON.stringify(SPEND))
  const announced = await post(app, agent, large)
  const chunked = await post(app, agent, large, { 'transfer-encoding': 'chunked' })
  const after = await post(app, agent, JSON.stringify(SPEND))
  t.deepEqual(
    [before, announced, chunked, after].map(({ status }) => status),
    [202, 413, 413, 202],
  )
  t.is(JSON.parse(announced.text).code, 'body_too_large')
  t.is(new Set([before, announced, chunked, after].map(({ connection }) => connection)).size, 1)
})

test('the largest body allowed passes, one byte more does not', async (t) => {
  const app = await runApp(t, exampleRoutes())
  const sized = (bytes: number) => {
    const text = JSON.stringify({ ...SPEND, extra: { filler: '' } })
    return text.replace('"filler":""', `"filler":"${'x'.repeat(bytes - text.length)}"`)
  }
  t.is((await app.call('POST', path, { body: sized(MAX_BODY_BYTES) })).status, 202)
  t.is((await app.call('POST', path, { body: sized(MAX_BODY_BYTES + 1) })).status, 413)
})

test('a refused caller also gets to read the answer while the body is still on its way', async (t) => {
  const app = await runApp(t, exampleRoutes())
  const reply = await app.call('POST', path, { body: 'x'.repeat(2 * 1024 * 1024), authorization: null })
  t.deepEqual([reply.status, reply.json.code], [401, 'token_missing'])
})

test('with Expect: 100-continue the body is asked for only when it is wanted', async (t) => {
  const app = await runApp(t, exampleRoutes())
  const body = JSON.stringify(SPEND)
  const head = (length: number, authorization: string) =>
    `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\nExpect: 100-continue\r\n\r\n`
  const authorization = `Bearer ${await app.token()}`

  const wanted = openRaw(t, app.url)
  wanted.send(head(body.length, authorization))
  await wanted.received(/^HTTP\/1\.1 100 Continue\r\n\r\n$/)
  wanted.send(body)
  await wanted.received(/\r\n\r\nHTTP\/1\.1 202 Accepted\r\n/)

  for (const [unwanted, status] of [
    [head(2 ** 30, authorization), 413],
    [head(body.length, 'Bearer x'), 401],
  ] as const) {
    const connection = openRaw(t, app.url)
    connection.send(unwanted)
    const text = await connection.closed()
    t.true(text.startsWith(`HTTP/1.1 ${status} `), text)
    t.regex(text, /Connection: close/)
  }
})

test('a body far too large to be thrown away ends the connection, after the answer', async (t) => {
  const app = await runApp(t, exampleRoutes())
  const connection = openRaw(t, app.url)
  const authorization = `Bearer ${await app.token()}`
  connection.send(
    `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\nContent-Length: ${2 ** 30}\r\n\r\n{`,
  )
  t.regex(await connection.closed(), /^HTTP\/1\.1 413 .*Connection: close.*body_too_large/s)
})

test('only JSON in UTF-8, uncompressed, is taken', async (t) => {
  const app = await runApp(t, exampleRoutes())
  const status = async (headers: Record<string, string>) => (await app.call('POST', path, { body: SPEND, headers })).status
  t.is(await status({ 'content-type': 'application/json; charset=UTF-8' }), 202)
  t.is(await status({ 'content-type': 'application/json ;charset="utf-8"' }), 202)
  for (const type of ['text/plain', 'application/json; charset=iso-8859-1', 'application/jsonx', 'application/x-www-form-urlencoded', ''])
    t.is(await status({ 'content-type': type }), 415, type)
  t.is(await status({ 'content-encoding': 'gzip' }), 415)
})
