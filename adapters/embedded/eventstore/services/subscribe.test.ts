import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { END, EventStoreDBClient, jsonEvent, START, streamNameFilter } from '@eventstore/db-client'
import test, { type ExecutionContext } from 'ava'
import { createGrpcServer } from '../grpc/server.ts'
import { createCommitQueue } from '../log/commit-queue.ts'
import { type Log, openLog } from '../log/log.ts'
import { createMemoryStorage } from '../log/memory-storage.ts'
import { serverFeaturesRoutes } from './server-features.ts'
import { streamsRoutes } from './streams-service.ts'

/** One test after the other: the client lets an error of one call reject the appends of all clients in the process. */

/** A server whose log tells how often it was read, and whose commits how many listen to them. */
async function serving(t: ExecutionContext) {
  const log = openLog(createMemoryStorage(), () => {})
  const commits = createCommitQueue(log, () => {})
  const seen = { reads: 0, listeners: 0 }
  const countedLog: Log = {
    ...log,
    readAll: (...place) => {
      seen.reads += 1
      return log.readAll(...place)
    },
  }
  const counted = {
    submit: commits.submit,
    onCommit(listener: Parameters<typeof commits.onCommit>[0]) {
      seen.listeners += 1
      const stop = commits.onCommit(listener)
      return () => {
        seen.listeners -= 1
        stop()
      }
    },
  }
  const routes = new Map([...streamsRoutes({ log: countedLog, commits: counted }), ...serverFeaturesRoutes()])
  const grpc = createGrpcServer(routes, (line) => t.log(line))
  const listener = createServer(grpc.accept).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const client = EventStoreDBClient.connectionString(`esdb://127.0.0.1:${(listener.address() as AddressInfo).port}?tls=false`)
  t.teardown(async () => {
    await client.dispose()
    await grpc.close()
    listener.close()
    log.close()
  })
  return { client, seen }
}

const thing = () => jsonEvent({ id: randomUUID(), type: 'thing', data: {} })

const settled = async (holds: () => boolean) => {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}

test.serial('a thousand subscriptions that are given up leave nothing behind', async (t) => {
  const { client, seen } = await serving(t)
  await client.appendToStream('s', thing())
  const subscriptions = Array.from({ length: 1000 }, (_, n) =>
    n % 2 === 0 ? client.subscribeToStream('s', { fromRevision: START }) : client.subscribeToAll({ fromPosition: START }),
  )
  await Promise.all(subscriptions.map((subscription) => once(subscription, 'data')))
  t.is(seen.listeners, 1000)
  await Promise.all(subscriptions.map((subscription) => subscription.unsubscribe()))
  await settled(() => seen.listeners === 0)
  t.true((await client.appendToStream('s', thing())).success)
})

test.serial('however many follow the log, an event is read from it once', async (t) => {
  const { client, seen } = await serving(t)
  await client.appendToStream('s-0', thing())
  const many = 100
  const heard: string[][] = []
  const subscriptions = Array.from({ length: many }, (_, n) => {
    const mine: string[] = []
    heard.push(mine)
    const filter = n % 2 === 0 ? {} : { filter: streamNameFilter({ prefixes: ['s-'] }) }
    return client.subscribeToAll({ fromPosition: END, ...filter }).on('data', ({ event }) => mine.push(event!.id))
  })
  await Promise.all(subscriptions.map((subscription) => once(subscription, 'caughtUp')))
  const before = seen.reads
  const events = Array.from({ length: 20 }, thing)
  for (const event of events) await client.appendToStream('s-1', event)
  await settled(() => heard.every((mine) => mine.length === events.length))
  for (const mine of heard)
    t.deepEqual(
      mine,
      events.map(({ id }) => id),
    )
  t.true(seen.reads - before <= 3 * events.length, `${seen.reads - before} reads`)
  await Promise.all(subscriptions.map((subscription) => subscription.unsubscribe()))
})

test.serial('subscribers that read at different speeds hear the same', async (t) => {
  const { client } = await serving(t)
  const heard: number[][] = [[], []]
  const [quick, slow] = heard.map((mine) =>
    client.subscribeToStream('s', { fromRevision: START }).on('data', ({ event }) => mine.push(Number(event!.revision))),
  )
  await client.appendToStream('s', thing())
  await settled(() => heard.every((mine) => mine.length === 1))
  slow!.pause()
  const batches = 30
  for (let n = 0; n < batches; n += 1) await client.appendToStream('s', Array.from({ length: 100 }, thing))
  const count = 1 + batches * 100
  await settled(() => heard[0]!.length === count)
  t.true(heard[1]!.length < count)
  slow!.resume()
  await settled(() => heard[1]!.length === count)
  t.deepEqual(
    heard[1],
    Array.from({ length: count }, (_, revision) => revision),
  )
  await Promise.all([quick!.unsubscribe(), slow!.unsubscribe()])
})
