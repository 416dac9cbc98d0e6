import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import test from 'ava'
import { Unavailable } from '../../domain/ports/event-log.ts'
import { startEmbeddedMongo } from '../embedded/mongodb/server.ts'
import { connectDocuments } from './documents.ts'

const write = (collection: string, id: string) => ({ collection, id, create: true, increment: { n: 1 } })

test('a server that is not there is unavailable', async (t) => {
  const gone = await startEmbeddedMongo({ port: 0 })
  await gone.close()
  const error = await t.throwsAsync(connectDocuments({ url: gone.url, database: 'd' }), { instanceOf: Unavailable })
  t.is(error.dependency, 'mongodb')
})

test('a server that never answers is unavailable within seconds', async (t) => {
  const silent = createServer((socket) => socket.resume())
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  const started = performance.now()
  const url = `mongodb://127.0.0.1:${port}/?directConnection=true`
  await t.throwsAsync(connectDocuments({ url, database: 'd' }), { instanceOf: Unavailable })
  t.true(performance.now() - started < 10_000)
  silent.close()
})

test('what is asked while the server is away is unavailable, and works again when it is back', async (t) => {
  const first = await startEmbeddedMongo({ port: 0 })
  const documents = await connectDocuments({ url: first.url, database: 'd' })
  await documents.apply([{ position: 1n, writes: [write('c', 'a')] }])
  await first.close()
  const calls = [
    () => documents.ping(),
    () => documents.get('c', 'a'),
    () => documents.apply([{ position: 2n, writes: [write('c', 'a')] }]),
    () => documents.moveCheckpoint('p', undefined, 1n),
  ]
  for (const outcome of await Promise.allSettled(calls.map((call) => call())))
    t.true(outcome.status === 'rejected' && outcome.reason instanceof Unavailable)
  const second = await startEmbeddedMongo({ port: first.port })
  await documents.ping()
  t.is(await documents.get('c', 'a'), undefined)
  await documents.close()
  await second.close()
})

test('after it is closed everything is unavailable', async (t) => {
  const server = await startEmbeddedMongo({ port: 0 })
  const documents = await connectDocuments({ url: server.url, database: 'd' })
  await documents.close()
  await t.throwsAsync(documents.get('c', 'a'), { instanceOf: Unavailable })
  await server.close()
})

test('positions that do not rise within a batch are refused', async (t) => {
  const server = await startEmbeddedMongo({ port: 0 })
  const documents = await connectDocuments({ url: server.url, database: 'd' })
  const batch = [2n, 1n].map((position) => ({ position, writes: [write('c', 'a')] }))
  await t.throwsAsync(documents.apply(batch), { instanceOf: RangeError })
  t.is(await documents.get('c', 'a'), undefined)
  await documents.close()
  await server.close()
})
