import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { webhookUrlCheck } from './check-url.ts'
import { isPublicAddress, type Resolve } from './public-address.ts'
import { type SenderOptions, webhookSender } from './sender.ts'

const NEVER = new AbortController().signal

function sender(t: ExecutionContext, options: Partial<SenderOptions> = {}) {
  const made = webhookSender({ allowPrivate: true, timeoutMs: 1_000, ...options })
  t.teardown(made.close)
  return (url: string) => made.send(url, { 'content-type': 'application/json' }, '{}', NEVER)
}

async function listening(t: ExecutionContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    if ('closeAllConnections' in server) (server as ReturnType<typeof createServer>).closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

/** How many connections came, and how many requests. */
async function serve(t: ExecutionContext, listener: RequestListener) {
  const seen = { connections: 0, requests: 0 }
  const server = createServer((request, response) => {
    seen.requests += 1
    listener(request, response)
  }).on('connection', () => {
    seen.connections += 1
  })
  const port = await listening(t, server)
  return { seen, port, url: `http://127.0.0.1:${port}/` }
}

test('addresses that are not of the Internet are known as such', (t) => {
  for (const address of [
    ...['127.0.0.1', '127.255.0.1', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254', '100.64.0.1'],
    ...['0.0.0.0', '224.0.0.1', '255.255.255.255', '198.18.0.1', '192.0.2.1', '::', '::1', 'fe80::1', 'fc00::1', 'fd12::1', 'ff02::1'],
    ...['::ffff:127.0.0.1', '::ffff:8.8.8.8', '::127.0.0.1', '64:ff9b::7f00:1', '2002:7f00:1::', '2001:db8::1', '2001::1', 'none', ''],
  ])
    t.false(isPublicAddress(address), address)
  for (const address of ['8.8.8.8', '172.32.0.1', '100.128.0.1', '1.1.1.1', '2606:4700::1111', '2a00:1450:4001::1'])
    t.true(isPublicAddress(address), address)
})

test('an address is judged when it is registered', async (t) => {
  const addresses: { [host: string]: readonly string[] } = {
    'public.example': ['8.8.8.8'],
    'private.example': ['10.0.0.1'],
    'both.example': ['8.8.8.8', '127.0.0.1'],
  }
  const resolve: Resolve = async (host) => {
    const found = addresses[host]
    if (!found) throw new Error('ENOTFOUND')
    return found.map((address) => ({ address, family: 4 }))
  }
  const check = webhookUrlCheck({ allowPrivate: false, resolve })
  for (const url of ['https://public.example/hook?a=b', 'https://8.8.8.8/', 'https://unknown.example/'])
    t.is(await check(url), undefined, url)
  for (const url of [
    ...['hook', 'ftp://public.example', 'http://public.example', 'https://me:secret@public.example', 'https://public.example/#a'],
    ...['https://private.example', 'https://both.example', 'https://127.0.0.1', 'https://2130706433', 'https://0x7f.1', 'https://[::1]'],
    ...['https://[::ffff:127.0.0.1]', 'https://169.254.169.254/latest'],
  ])
    t.is(typeof (await check(url)), 'string', url)
  t.is(await webhookUrlCheck({ allowPrivate: true })('http://127.0.0.1:9/hook'), undefined)
})

test('nothing is sent to a private address, whatever its name said when it was registered', async (t) => {
  const { seen, port } = await serve(t, (_, response) => response.end())
  let leadsTo = ['8.8.8.8']
  const resolve: Resolve = async () => leadsTo.map((address) => ({ address, family: 4 }))
  const url = `https://rebound.example:${port}/`
  t.is(await webhookUrlCheck({ allowPrivate: false, resolve })(url), undefined)
  const send = sender(t, { allowPrivate: false, resolve })
  for (const now of [['127.0.0.1'], ['8.8.8.8', '127.0.0.1'], []]) {
    leadsTo = now
    t.deepEqual(await send(url), { failure: 'address_not_allowed' })
  }
  for (const literal of [`https://127.0.0.1:${port}/`, `https://[::1]:${port}/`, `http://rebound.example:${port}/`])
    t.deepEqual(await send(literal), { failure: 'address_not_allowed' })
  t.is(seen.connections, 0)
})

test('a redirect is an answer, and is not followed', async (t) => {
  const inner = await serve(t, (_, response) => response.end())
  const outer = await serve(t, (_, response) => response.writeHead(307, { location: inner.url }).end())
  t.like(await sender(t)(outer.url), { status: 307 })
  t.is(inner.seen.connections, 0)
})

test('the answer is the status, and Retry-After in either form', async (t) => {
  const headers: { [path: string]: string } = { '/s': '120', '/d': new Date(Date.now() + 60_000).toUTCString(), '/x': 'soon' }
  const { url } = await serve(t, (request, response) => response.writeHead(503, { 'retry-after': headers[request.url ?? ''] ?? '' }).end())
  const send = sender(t)
  t.deepEqual(await send(`${url}s`), { status: 503, retryAfterMs: 120_000 })
  const dated = (await send(`${url}d`)) as { retryAfterMs: number }
  t.true(dated.retryAfterMs > 55_000 && dated.retryAfterMs <= 60_000)
  t.deepEqual(await send(`${url}x`), { status: 503, retryAfterMs: undefined })
})

test('an answer without end is not read to its end', async (t) => {
  let cutOff = () => {}
  const isCutOff = new Promise<boolean>((resolve) => {
    cutOff = () => resolve(true)
  })
  const { url } = await serve(t, (_, response) => {
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(64 * 1024)));
      if (!response.destroyed) response.once('drain', more)
    }
    response.on('close', cutOff)
    more()
  })
  t.like(await sender(t, { timeoutMs: 60_000 })(url), { status: 200 })
  t.true(await Promise.race([isCutOff, delay(10_000, false)]))
})

test('who takes its time for the body of its answer is sent the next event on no other connection', async (t) => {
  const { seen, url } = await serve(t, (_, response) => {
    response.writeHead(200).write('x')
    setTimeout(() => response.end(), 50)
  })
  const send = sender(t)
  for (let n = 0; n < 3; n++) t.like(await send(url), { status: 200 })
  t.is(seen.connections, 1)
})

test('who answers that it speaks another protocol has not taken the event', async (t) => {
  const port = await listening(
    t,
    createTcpServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'))
    }),
  )
  t.deepEqual(await sender(t)(`http://127.0.0.1:${port}/`), { failure: 'connection_failed' })
})

test('who does not answer, or does not take a connection, is waited for no longer than is set', async (t) => {
  const silent = await serve(t, () => {})
  const begun = Date.now()
  t.deepEqual(await sender(t, { timeoutMs: 300 })(silent.url), { failure: 'timed_out' })
  // It takes connections, and never says anything of TLS.
  const mute = await listening(
    t,
    createTcpServer(() => {}),
  )
  t.deepEqual(await sender(t, { connectTimeoutMs: 300, timeoutMs: 60_000 })(`https://127.0.0.1:${mute}/`), { failure: 'timed_out' })
  t.true(Date.now() - begun < 30_000)
})

test('why nothing came of it is told apart', async (t) => {
  const plain = await serve(t, (_, response) => response.end())
  t.deepEqual(await sender(t)(`https://127.0.0.1:${plain.port}/`), { failure: 'tls_failed' })
  t.deepEqual(await sender(t)('http://nowhere.invalid/'), { failure: 'name_not_resolved' })
  const closed = createTcpServer()
  const port = await listening(t, closed)
  await new Promise((resolve) => closed.close(resolve))
  t.deepEqual(await sender(t)(`http://127.0.0.1:${port}/`), { failure: 'connection_failed' })
})

test('a connection is used again, and one that was closed meanwhile is no failure', async (t) => {
  const { seen, url } = await serve(t, (request, response) => {
    response.end()
    if (seen.requests === 2) setImmediate(() => request.socket.destroy())
  })
  const send = sender(t)
  for (let n = 0; n < 4; n++) t.like(await send(url), { status: 200 })
  t.is(seen.connections, 2)
})
