import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import test from 'ava'
import { deserialize, serialize } from 'bson'
import fc from 'fast-check'
import { MongoClient, MongoServerError } from 'mongodb'
import { portToKeep } from '../../../test/port-to-keep.ts'
import { startEmbeddedMongo } from './server.ts'

function message(document: object, flags = 0): Buffer {
  const body = serialize(document)
  const head = Buffer.alloc(21)
  for (const [i, value] of [head.length + body.length, 1, 0, 2013, flags].entries()) head.writeInt32LE(value, i * 4)
  return Buffer.concat([head, body])
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

/** The next reply, of those that come in one piece. */
async function reply(socket: Socket): Promise<{ ok: number; code?: number }> {
  const [chunk] = (await once(socket, 'data')) as [Buffer]
  return deserialize(chunk.subarray(21)) as { ok: number; code?: number }
}

test('it says that it is the embedded one, and listens on loopback', async (t) => {
  const lines: string[] = []
  const server = await startEmbeddedMongo({ port: 0, log: (line) => lines.push(line) })
  t.regex(lines.join(), /embedded mongodb.*127\.0\.0\.1/)
  t.is(server.url, `mongodb://127.0.0.1:${server.port}/?directConnection=true`)
  await server.close()
})

test('a port that is taken is an error', async (t) => {
  const server = await startEmbeddedMongo({ port: 0 })
  await t.throwsAsync(startEmbeddedMongo({ port: server.port }), { code: 'EADDRINUSE' })
  await server.close()
})

test('closing ends connections, and nothing is left of the data', async (t) => {
  const server = await startEmbeddedMongo({ port: await portToKeep() })
  const client = await MongoClient.connect(server.url)
  await client.db('d').collection('c').insertOne({})
  await server.close()
  const again = await startEmbeddedMongo({ port: server.port })
  t.is(await client.db('d').collection('c').countDocuments({}), 0)
  await client.close()
  await again.close()
})

test('transactions are refused', async (t) => {
  const server = await startEmbeddedMongo({ port: 0 })
  const client = await MongoClient.connect(server.url)
  const session = client.startSession()
  session.startTransaction()
  const inTransaction = client.db('d').collection('c').insertOne({}, { session })
  await t.throwsAsync(inTransaction, { instanceOf: MongoServerError, message: /no transactions/ })
  await session.endSession()
  await client.close()
  await server.close()
})

test('a command that wants no answer gets none', async (t) => {
  const server = await startEmbeddedMongo({ port: 0 })
  const socket = await open(server.port)
  socket.write(message({ insert: 'c', $db: 'd', documents: [{ _id: 1 }] }, 2))
  socket.write(message({ count: 'c', $db: 'd' }))
  t.deepEqual(await reply(socket), { n: 1, ok: 1 } as never)
  socket.destroy()
  await server.close()
})

test('a malformed document is answered, and the connection goes on', async (t) => {
  const server = await startEmbeddedMongo({ port: 0 })
  const socket = await open(server.port)
  const broken = message({ ping: 1, $db: 'd' })
  broken[25] = 0xee
  socket.write(broken)
  t.like(await reply(socket), { ok: 0, code: 22 })
  socket.write(message({ ping: 1, $db: 'd' }))
  t.like(await reply(socket), { ok: 1 })
  socket.destroy()
  await server.close()
})

test('what is not the protocol ends its connection at once', async (t) => {
  const server = await startEmbeddedMongo({ port: 0 })
  const socket = await open(server.port)
  socket.resume()
  socket.write(Buffer.from('ffffff7f0100000000000000dd07000000000000', 'hex'))
  await once(socket, 'close')
  t.pass()
  await server.close()
})

test('a client that does not read its answers is not read from', async (t) => {
  const server = await startEmbeddedMongo({ port: 0 })
  const filler = await open(server.port)
  filler.write(message({ insert: 'c', $db: 'd', documents: [{ _id: 1, pad: 'x'.repeat(1024 * 1024) }] }))
  await reply(filler)
  const before = process.memoryUsage().arrayBuffers
  const lazy = await open(server.port)
  lazy.pause()
  const query = message({ find: 'c', $db: 'd', filter: { _id: 1 } })
  for (let i = 0; i < 2_000; i++) lazy.write(query)
  // A round trip of another client: whatever the server was going to read of the lazy one, it has had the chance.
  for (let i = 0; i < 20; i++) {
    filler.write(message({ ping: 1, $db: 'd' }))
    await reply(filler)
  }
  t.true(process.memoryUsage().arrayBuffers - before < 100 * 1024 * 1024, '2,000 answers would be 2 GB')
  lazy.destroy()
  filler.destroy()
  await server.close()
})

test('a client that leaves its answers unread is cut off in the end', async (t) => {
  const server = await startEmbeddedMongo({ port: 0, stalledMs: 100 })
  const lazy = await open(server.port)
  lazy.on('error', () => {})
  lazy.write(message({ insert: 'c', $db: 'd', documents: [{ _id: 1, pad: 'x'.repeat(8 * 1024 * 1024) }] }))
  await reply(lazy)
  lazy.pause()
  for (let i = 0; i < 20; i++) lazy.write(message({ find: 'c', $db: 'd', filter: { _id: 1 } }))
  await untilRefused(lazy)
  const other = await open(server.port)
  other.write(message({ ping: 1, $db: 'd' }))
  t.like(await reply(other), { ok: 1 })
  other.destroy()
  await server.close()
})

/** Writes until the other side is gone, without ever reading. */
function untilRefused(socket: Socket): Promise<void> {
  const knock = setInterval(() => socket.write(message({ ping: 1, $db: 'd' })), 20)
  return new Promise((resolve) => {
    socket.once('close', () => {
      clearInterval(knock)
      resolve()
    })
  })
}

test('more connections than the server takes are refused, and there is room again when some leave', async (t) => {
  const server = await startEmbeddedMongo({ port: 0 })
  const sockets: Socket[] = []
  while (sockets.length < 1_000) sockets.push(...(await Promise.all(Array.from({ length: 50 }, () => open(server.port)))))
  for (const socket of [sockets[0]!, sockets.at(-1)!]) {
    socket.write(message({ ping: 1, $db: 'd' }))
    t.like(await reply(socket), { ok: 1 })
  }
  const surplus = await open(server.port)
  surplus.on('error', () => {}).resume()
  if (!surplus.closed) await once(surplus, 'close')
  for (const socket of sockets) socket.destroy()
  await Promise.all(sockets.map((socket) => once(socket, 'close')))
  const client = await MongoClient.connect(server.url)
  t.like(await client.db('d').command({ ping: 1 }), { ok: 1 })
  await client.close()
  await server.close()
})

test('traffic with any of its bytes changed, in any pieces, does not bring the server down', async (t) => {
  const server = await startEmbeddedMongo({ port: 0 })
  const traffic = [
    { hello: 1, $db: 'admin' },
    { insert: 'c', $db: 'd', documents: [{ _id: 1, text: 'abc', list: [1, { a: null }], at: new Date(0) }] },
    { update: 'c', $db: 'd', updates: [{ q: { _id: 1 }, u: { $push: { list: { $each: [2], $slice: 3 } } }, upsert: true }] },
    { find: 'c', $db: 'd', filter: { text: { $gt: 'a' } }, sort: { _id: 1 }, batchSize: 1 },
    { aggregate: 'c', $db: 'd', pipeline: [{ $group: { _id: '$text', n: { $sum: 1 } } }], cursor: {} },
  ].map((each) => message(each))
  const change = fc.record({ at: fc.nat(), byte: fc.nat(255) })
  const script = fc.array(fc.tuple(fc.constantFrom(...traffic), fc.array(change, { maxLength: 2 })), { minLength: 1, maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(script, fc.array(fc.nat(), { maxLength: 4 }), async (messages, cuts) => {
      const bytes = Buffer.concat(
        messages.map(([each, changes]) => {
          const copy = Buffer.from(each)
          for (const { at, byte } of changes) copy[at % copy.length] = byte
          return copy
        }),
      )
      const socket = await open(server.port)
      socket.on('error', () => {})
      socket.resume()
      const ends = [...new Set(cuts.map((cut) => cut % bytes.length))].sort((a, b) => a - b)
      for (const [i, end] of ends.entries()) socket.write(bytes.subarray(ends[i - 1] ?? 0, end))
      socket.end(bytes.subarray(ends.at(-1) ?? 0))
      await once(socket, 'close')
    }),
    { interruptAfterTimeLimit: 3_000, numRuns: 2_000 },
  )
  const client = await MongoClient.connect(server.url)
  t.like(await client.db('d').command({ ping: 1 }), { ok: 1 })
  await client.close()
  await server.close()
})

test('a monitoring client is told time and again, in a stream, and notices at once that the server is gone', async (t) => {
  const server = await startEmbeddedMongo({ port: 0 })
  const client = await MongoClient.connect(server.url, { serverMonitoringMode: 'stream', heartbeatFrequencyMS: 500 })
  const beats: boolean[] = []
  const enough = new Promise<void>((resolve) => {
    client.on('serverHeartbeatSucceeded', ({ awaited }) => {
      beats.push(awaited)
      if (beats.filter(Boolean).length === 3) resolve()
    })
  })
  let failures = 0
  client.on('serverHeartbeatFailed', () => failures++)
  await enough
  t.is(failures, 0)
  const noticed = once(client, 'serverHeartbeatFailed')
  await server.close()
  await noticed
  await client.close()
})
