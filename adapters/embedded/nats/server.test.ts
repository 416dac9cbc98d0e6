import { once } from 'node:events'
import { connect as openSocket } from 'node:net'
import test from 'ava'
import fc from 'fast-check'
import { connect, ErrorCode, type NatsError } from 'nats'
import { startEmbeddedNats } from './server.ts'
import { dial, QUIET, readToEnd, start } from './testing/raw-client.ts'

test('it says that it is the embedded one, and listens on the one loopback address', async (t) => {
  const lines: string[] = []
  const { url, port } = await start(t, { log: (line) => lines.push(line) })
  t.is(url, `nats://127.0.0.1:${port}`)
  t.deepEqual(lines, [`embedded NATS, for one machine only, listens on ${url}`])
  const elsewhere = openSocket(port, '127.0.0.2')
  const [error] = await once(elsewhere, 'error')
  t.truthy(error.code)
})

test('a port that is taken is an error, not a hang', async (t) => {
  const { port } = await start(t)
  await t.throwsAsync(startEmbeddedNats({ port }), { code: 'EADDRINUSE' })
})

test('a client that gives no sign of life is cut off', async (t) => {
  const { port } = await start(t, { pingIntervalMs: 30 })
  const socket = await dial(t, port)
  t.regex(await readToEnd(socket), /PING\r\nPING\r\n-ERR 'Stale Connection'\r\n$/)
})

test('a client that answers pings stays', async (t) => {
  const { port } = await start(t, { pingIntervalMs: 500 })
  const socket = await dial(t, port)
  let pings = 0
  for await (const chunk of socket) {
    if (!chunk.toString('latin1').includes('PING\r\n')) continue
    socket.write('PONG\r\n')
    if (++pings === 5) break
  }
  t.is(pings, 5)
})

test('a subscriber that does not read is cut off, and nobody else notices', async (t) => {
  const lines: string[] = []
  const { url, port } = await start(t, { log: (line) => lines.push(line) })
  const slow = await dial(t, port)
  slow.pause()
  slow.write(`${QUIET}SUB flood 1\r\nPUB ready 0\r\n\r\n`)
  const client = await connect({ servers: url })
  t.teardown(() => client.close())
  let received = 0
  client.subscribe('flood', { callback: () => received++ })
  const payload = Buffer.alloc(1_000_000)
  let sent = 0
  while (!lines.some((line) => line.includes('slow consumer')) && sent < 100) {
    client.publish('flood', payload)
    sent++
    await client.flush()
  }
  t.true(lines.some((line) => line.includes('slow consumer')))
  t.is(received, sent)
})

test('no bytes bring it down', async (t) => {
  const { url, port } = await start(t)
  const fragment = fc.oneof(
    fc.constantFrom(
      'PUB a 5\r\n',
      'HPUB a 1 5\r\n',
      'SUB > 1\r\n',
      'UNSUB 1\r\n',
      QUIET,
      'CONNECT []\r\n',
      'CONNECT null\r\n',
      'PING\r\n',
      'hello\r\n',
    ),
    fc.string({ unit: 'binary', maxLength: 40 }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(fragment, { maxLength: 12 }), fc.boolean(), async (fragments, abruptly) => {
      const socket = await dial(t, port)
      socket.resume()
      const closed = once(socket, 'close')
      if (abruptly) {
        socket.write(fragments.join(''), 'latin1')
        socket.resetAndDestroy()
      } else socket.end(fragments.join(''), 'latin1')
      await closed
    }),
    { numRuns: 200 },
  )
  const client = await connect({ servers: url })
  t.teardown(() => client.close())
  const received = client.subscribe('still.here', { max: 1 })
  client.publish('still.here')
  for await (const { subject } of received) t.is(subject, 'still.here')
})

test('a client that leaves takes its subscriptions along', async (t) => {
  const { url } = await start(t)
  const leaver = await connect({ servers: url })
  leaver.subscribe('service', { callback: (_, message) => message.respond() })
  await leaver.flush()
  const client = await connect({ servers: url })
  t.teardown(() => client.close())
  await client.request('service')
  await leaver.close()
  // Until the server has seen it go, requests are still sent there, and lost.
  let code = ErrorCode.Timeout
  for (let attempt = 0; attempt < 100 && code === ErrorCode.Timeout; attempt++)
    code = (await t.throwsAsync<NatsError>(client.request('service', '', { timeout: 100 })))!.code as ErrorCode
  t.is(code, ErrorCode.NoResponders)
})

test('closing ends every connection, also of clients that do not listen', async (t) => {
  const server = await startEmbeddedNats({ port: 0 })
  const deaf = await dial(t, server.port)
  deaf.pause()
  const polite = await dial(t, server.port)
  const ended = readToEnd(polite)
  await server.close()
  t.regex(await ended, /^INFO /)
  await t.throwsAsync(connect({ servers: server.url, reconnect: false, timeout: 1_000 }))
  await t.notThrowsAsync(server.close())
})
