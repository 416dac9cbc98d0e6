import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import test from 'ava'
import { Unavailable } from '../../domain/ports/event-log.ts'
import { portToKeep } from '../../test/port-to-keep.ts'
import { startEmbeddedMongo } from '../embedded/mongodb/server.ts'
import { connectMongo } from './connect.ts'

const write = (collection: string, id: string) => ({ collection, id, create: true, increment: { n: 1 } })

test('a server that is not there is unavailable', async (t) => {
  const gone = await startEmbeddedMongo({ port: 0 })
  await gone.close()
  const error = await t.throwsAsync(connectMongo({ url: gone.url, database: 'd' }), { instanceOf: Unavailable })
  t.is(error.dependency, 'mongodb')
})

test('a server that never answers is unavailable within seconds', async (t) => {
  const silent = createServer((socket) => socket.resume())
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  const started = performance.now()
  const url = `mongodb://127.0.0.1:${port}/?directConnection=true`
  await t.throwsAsync(connectMongo({ url, database: 'd' }), { instanceOf: Unavailable })
  t.true(performance.now() - started < 10_000)
  silent.close()
})

test('what is asked while the server is away is unavailable, and works again when it is back', async (t) => {
  const first = await startEmbeddedMongo({ port: await portToKeep() })
  const { documents, projections, close } = await connectMongo({ url: first.url, database: 'd' })
  await documents.apply([{ position: 1n, writes: [write('c', 'a')] }])
  await first.close()
  const calls = [
    () => documents.ping(),
    () => documents.get('c', 'a'),
    () => documents.apply([{ position: 2n, writes: [write('c', 'a')] }]),
    () => projections.begin('p', 1),
  ]
  for (const outcome of await Promise.allSettled(calls.map((call) => call())))
    t.true(outcome.status === 'rejected' && outcome.reason instanceof Unavailable)
  const second = await startEmbeddedMongo({ port: first.port })
  await documents.ping()
  t.is(await documents.get('c', 'a'), undefined)
  await close()
  await second.close()
})

test('after it is closed everything is unavailable', async (t) => {
  const server = await startEmbeddedMongo({ port: 0 })
  const { documents, close } = await connectMongo({ url: server.url, database: 'd' })
  await close()
  await t.throwsAsync(documents.get('c', 'a'), { instanceOf: Unavailable })
  await server.close()
})

test('positions that do not rise within a batch are refused', async (t) => {
  const server = await startEmbeddedMongo({ port: 0 })
  const { documents, close } = await connectMongo({ url: server.url, database: 'd' })
  const batch = [2n, 1n].map((position) => ({ position, writes: [write('c', 'a')] }))
  await t.throwsAsync(documents.apply(batch), { instanceOf: RangeError })
  t.is(await documents.get('c', 'a'), undefined)
  await close()
  await server.close()
})
