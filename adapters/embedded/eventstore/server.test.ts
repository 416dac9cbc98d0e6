import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CancelledError,
  EventStoreDBClient,
  jsonEvent,
  MaxAppendSizeExceededError,
  NO_STREAM,
  persistentSubscriptionToAllSettingsFromDefaults,
  START,
  StreamDeletedError,
  streamNameFilter,
  TimeoutError,
  WrongExpectedVersionError,
} from '@eventstore/db-client'
import test from 'ava'
import { type EmbeddedEventStore, startEmbeddedEventStore } from './server.ts'

const events = (n: number) => Array.from({ length: n }, (_, index) => jsonEvent({ id: randomUUID(), type: 'thing', data: { index } }))

/** One at a time: the client lets an error of one call reject the appends of all clients in the process. */
async function withServer<T>(
  dataDir: string | undefined,
  work: (client: EventStoreDBClient, server: EmbeddedEventStore) => Promise<T>,
): Promise<T> {
  const server = await startEmbeddedEventStore({ port: 0, ...(dataDir && { dataDir }) })
  const client = EventStoreDBClient.connectionString(server.url)
  try {
    return await work(client, server)
  } finally {
    await client.dispose()
    await server.close()
  }
}

test.serial('what was acknowledged is there after a restart', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'eventstore-'))
  t.teardown(() => rm(dataDir, { recursive: true, force: true }))
  const content = events(3)

  await withServer(dataDir, async (client) => {
    await client.appendToStream('orders', content, { expectedRevision: NO_STREAM })
    await client.appendToStream('trimmed', events(5))
    await client.setStreamMetadata('trimmed', { maxCount: 2, own: 'x' })
    await client.appendToStream('deleted', events(2))
    await client.deleteStream('deleted')
    await client.appendToStream('buried', events(1))
    await client.tombstoneStream('buried')
    await client.createPersistentSubscriptionToAll(
      'workers',
      persistentSubscriptionToAllSettingsFromDefaults({ startFrom: START, checkPointLowerBound: 1, checkPointAfter: 100 }),
      { filter: streamNameFilter({ prefixes: ['orders'] }) },
    )
    let seen = 0
    const subscription = client.subscribeToPersistentSubscriptionToAll('workers')
    for await (const resolved of subscription) {
      seen += 1
      if (seen === 1) await subscription.nack('park', 'no good', resolved)
      else await subscription.ack(resolved)
      if (seen === 3) break
    }
    for (let settled = false; !settled; ) {
      const { stats } = await client.getPersistentSubscriptionToAllInfo('workers')
      settled = stats.parkedMessageCount === 1n && stats.totalInFlightMessages === 0
    }
    await subscription.unsubscribe()
  })

  await withServer(dataDir, async (client) => {
    const orders = []
    for await (const { event } of client.readStream('orders')) orders.push(event?.id)
    t.deepEqual(
      orders,
      content.map(({ id }) => id),
    )

    const again = await client.appendToStream('orders', content)
    t.is(again.nextExpectedRevision, 2n, 'a repeated append is recognised by its ids')
    await t.throwsAsync(client.appendToStream('orders', events(1), { expectedRevision: 0n }), { instanceOf: WrongExpectedVersionError })

    const trimmed = []
    for await (const { event } of client.readStream('trimmed')) trimmed.push(event?.revision)
    t.deepEqual(trimmed, [3n, 4n])
    t.is((await client.getStreamMetadata<{ own: string }>('trimmed')).metadata?.own, 'x')

    const written = await client.appendToStream('deleted', events(1), { expectedRevision: NO_STREAM })
    t.is(written.nextExpectedRevision, 2n, 'a deleted stream goes on with its numbers')
    await t.throwsAsync(client.appendToStream('buried', events(1)), { instanceOf: StreamDeletedError })

    const { settings, stats } = await client.getPersistentSubscriptionToAllInfo('workers')
    t.is(settings.startFrom, START)
    t.is(stats.parkedMessageCount, 1n)
    await client.appendToStream('orders', jsonEvent({ type: 'fresh', data: {} }))
    await client.replayParkedMessagesToAll('workers')
    const delivered: string[] = []
    const subscription = client.subscribeToPersistentSubscriptionToAll('workers')
    for await (const resolved of subscription) {
      delivered.push(resolved.event?.type ?? '')
      await subscription.ack(resolved)
      if (delivered.length === 2) break
    }
    await subscription.unsubscribe()
    t.deepEqual(delivered.sort(), ['fresh', 'thing'], 'only what was parked, and what is new')
  })
})

test.serial('a data directory belongs to one server at a time', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'eventstore-'))
  t.teardown(() => rm(dataDir, { recursive: true, force: true }))
  await withServer(dataDir, async () => {
    await t.throwsAsync(startEmbeddedEventStore({ port: 0, dataDir }), { message: /in use by another server/ })
  })
})

test.serial('a subscriber that joins in the middle hears every event once, in order', async (t) => {
  await withServer(undefined, async (client) => {
    await client.appendToStream('s', events(500))
    const heard: bigint[] = []
    const subscription = client.subscribeToAll({ fromPosition: START, filter: streamNameFilter({ prefixes: ['s'] }) })
    const writing = (async () => {
      for (let n = 0; n < 50; n += 1) await client.appendToStream('s', events(10))
    })()
    for await (const { event } of subscription) {
      heard.push(event!.revision)
      if (heard.length === 1000) break
    }
    await writing
    await subscription.unsubscribe()
    t.deepEqual(
      heard,
      Array.from({ length: 1000 }, (_, index) => BigInt(index)),
    )
  })
})

test.serial('a live subscriber that does not read is cut off', async (t) => {
  await withServer(undefined, async (client) => {
    const subscription = client.subscribeToAll({ fromPosition: START })
    const failed = new Promise<Error>((resolve) => subscription.once('error', resolve))
    await new Promise((resolve) => subscription.once('caughtUp', resolve).resume())
    subscription.pause()
    for (let n = 0; n < 15; n += 1) await client.appendToStream('s', events(1000))
    subscription.resume()
    t.true((await failed) instanceof TimeoutError)
  })
})

test.serial('health is told over HTTP/1.1 on the same port', async (t) => {
  await withServer(undefined, async (_client, { port }) => {
    t.is((await fetch(`http://127.0.0.1:${port}/health/live`)).status, 204)
    t.like(await (await fetch(`http://127.0.0.1:${port}/ping`)).json(), { text: 'Ping request successfully handled' })
    t.is((await fetch(`http://127.0.0.1:${port}/ping`, { method: 'POST' })).status, 404)
    t.is((await fetch(`http://127.0.0.1:${port}/other`)).status, 404)
  })
})

test.serial('a data directory that is new begins with an event of the system', async (t) => {
  await withServer(undefined, async (client) => {
    const types: string[] = []
    for await (const { event } of client.readAll({ maxCount: 10 })) types.push(event!.type)
    t.deepEqual(types, ['$metadata'])
  })
})

test.serial('an append that is too large or goes nowhere is refused, and the next one is not', async (t) => {
  await withServer(undefined, async (client) => {
    const large = jsonEvent({ type: 'thing', data: 'x'.repeat(1024 * 1024) })
    const credentials = { username: 'any', password: 'body' }
    for (const options of [{}, { credentials }]) {
      await t.throwsAsync(client.appendToStream('s', large, options), { instanceOf: MaxAppendSizeExceededError })
      await t.throwsAsync(client.appendToStream('', events(1), options))
      await t.throwsAsync(client.appendToStream('x'.repeat(70_000), events(1), options))
    }
    t.true((await client.appendToStream('s', events(1))).success)
  })
})

test.serial('a connection that says nothing, or little, is given up only when its time has come', async (t) => {
  await withServer(undefined, async (client, { port }) => {
    const silent = connectTcp(port, '127.0.0.1')
    const slow = connectTcp(port, '127.0.0.1')
    slow.write('G')
    await once(slow, 'connect')
    t.true((await client.appendToStream('s', events(1))).success)
    const answer = once(slow, 'data')
    slow.write('ET /health/live HTTP/1.1\r\nHost: x\r\n\r\n')
    t.regex(String((await answer)[0]), /^HTTP\/1.1 204/)
    for (const socket of [silent, slow]) socket.destroy()
  })
})

test.serial('a server that stops ends the subscriptions of its clients', async (t) => {
  const server = await startEmbeddedEventStore({ port: 0 })
  const client = EventStoreDBClient.connectionString(server.url)
  const subscription = client.subscribeToAll({ fromPosition: START })
  await once(subscription, 'data')
  const failed = once(subscription, 'error')
  await server.close()
  t.true((await failed)[0] instanceof CancelledError)
  await client.dispose()
})
