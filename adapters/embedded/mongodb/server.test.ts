import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import test from 'ava'
import { deserialize, serialize } from 'bson'
import { MongoClient, MongoServerError } from 'mongodb'
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
  const server = await startEmbeddedMongo({ port: 0 })
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
