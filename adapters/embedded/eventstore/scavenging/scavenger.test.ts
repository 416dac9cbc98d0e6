import { randomUUID } from 'node:crypto'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  EventStoreDBClient,
  jsonEvent,
  persistentSubscriptionToStreamSettingsFromDefaults,
  START,
  streamNameFilter,
} from '@eventstore/db-client'
import type * as OperationsService from '@eventstore/db-client/generated/operations_grpc_pb.js'
import type * as OperationsMessages from '@eventstore/db-client/generated/operations_pb.js'
import { credentials, type ServiceError } from '@grpc/grpc-js'
import test, { type ExecutionContext } from 'ava'
import { startEmbeddedEventStore } from '../server.ts'

// The client has no calls of this service, but its definition.
const load = createRequire(createRequire(import.meta.url).resolve('@eventstore/db-client'))
const { OperationsClient } = load('../generated/operations_grpc_pb.js') as typeof OperationsService
const { StartScavengeReq, StopScavengeReq } = load('../generated/operations_pb.js') as typeof OperationsMessages

const [STARTED, IN_PROGRESS, STOPPED] = [0, 1, 2]

const events = (count: number, size = 10) =>
  Array.from({ length: count }, (_, n) => jsonEvent({ id: randomUUID(), type: 'thing', data: { n, text: 'x'.repeat(size) } }))

async function open(t: ExecutionContext, dataDir: string) {
  const server = await startEmbeddedEventStore({ port: 0, dataDir })
  const client = EventStoreDBClient.connectionString(server.url)
  const operations = new OperationsClient(`127.0.0.1:${server.port}`, credentials.createInsecure())
  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= (async () => {
      operations.close()
      await client.dispose()
      await server.close()
    })()
    return closing
  }
  t.teardown(close)

  type Answer = { id: string; result: number }
  const answered = (resolve: (answer: Answer) => void, reject: (error: ServiceError) => void) => {
    return (error: ServiceError | null, answer: OperationsMessages.ScavengeResp) =>
      error ? reject(error) : resolve({ id: answer.getScavengeId(), result: answer.getScavengeResult() })
  }
  return {
    client,
    close,
    start: (startFromChunk = 0) =>
      new Promise<Answer>((resolve, reject) => {
        const options = new StartScavengeReq.Options()
        options.setThreadCount(1)
        options.setStartFromChunk(startFromChunk)
        operations.startScavenge(new StartScavengeReq().setOptions(options), answered(resolve, reject))
      }),
    stop: (id: string) =>
      new Promise<Answer>((resolve, reject) => {
        operations.stopScavenge(
          new StopScavengeReq().setOptions(new StopScavengeReq.Options().setScavengeId(id)),
          answered(resolve, reject),
        )
      }),
  }
}

type Opened = Awaited<ReturnType<typeof open>>

async function read(client: EventStoreDBClient, stream: string): Promise<{ type: string; data: Record<string, unknown> }[]> {
  const found: { type: string; data: Record<string, unknown> }[] = []
  for await (const { event } of client.readStream(stream)) if (event) found.push(event as never)
  return found
}

/** Of the streams that are cut short, the first event from a position on. */
async function firstAfter(client: EventStoreDBClient, fromPosition: typeof START | { commit: bigint; prepare: bigint }) {
  const found: { streamId: string; revision: bigint; position: bigint }[] = []
  for await (const { event } of client.readAll({ fromPosition }))
    if (event?.streamId === 'short') found.push({ streamId: event.streamId, revision: event.revision, position: event.position.commit })
  return found
}

/** Waits for the end of a scavenge, as a real server tells it. */
async function completed({ client }: Opened, id: string): Promise<Record<string, unknown>> {
  for (;;) {
    const last = (await read(client, `$scavenges-${id}`)).at(-1)
    if (last?.type === '$scavengeCompleted') return last.data
  }
}

async function folder(t: ExecutionContext) {
  const path = await mkdtemp(join(tmpdir(), 'scavenging-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  const bytes = async () => {
    const names = (await readdir(path)).filter((name) => name.endsWith('.log'))
    return (await Promise.all(names.map((name) => stat(join(path, name))))).reduce((sum, { size }) => sum + size, 0)
  }
  return { path, bytes }
}

test.serial('a scavenge frees what is hidden, says so where a real server does, and is one at a time', async (t) => {
  const { path, bytes } = await folder(t)
  const store = await open(t, path)
  const { client } = store
  await client.appendToStream('kept', events(5))
  await client.setStreamMetadata('short', { maxCount: 2 })
  for (let n = 0; n < 12; n++) await client.appendToStream('short', events(10, 40_000))
  await client.appendToStream('deleted', events(3))
  await client.deleteStream('deleted')
  const before = await bytes()
  const shown = [await read(client, 'kept'), await read(client, 'short')]
  const [gone] = await firstAfter(client, START)
  t.is(gone?.streamId, 'short')
  const [first, second] = await Promise.all([store.start(), store.start()])
  t.deepEqual([first.result, second.result], [STARTED, IN_PROGRESS])
  t.is(second.id, first.id)
  const end = await completed(store, first.id)
  t.like(end, { result: 'Success', error: '' })
  t.true((end.spaceSaved as number) > 4_500_000)
  t.true((await bytes()) < before - 3_500_000)
  t.deepEqual([await read(client, 'kept'), await read(client, 'short')], shown)
  t.is((await client.appendToStream('deleted', events(1))).nextExpectedRevision, 3n)
  const links = []
  for await (const { link } of client.readStream('$scavenges', { resolveLinkTos: true })) links.push(link?.streamId)
  t.deepEqual(links, ['$scavenges', '$scavenges'])
  for (const id of [first.id, 'current', '']) await t.throwsAsync(store.stop(id), { message: /5 NOT_FOUND: Scavenge id was invalid/ })
  const removed = { commit: gone!.position, prepare: gone!.position }
  t.is((await firstAfter(client, removed))[0]?.revision, 118n, 'a position at which nothing is any more is as good as another')
  const subscription = client.subscribeToAll({ fromPosition: removed, filter: streamNameFilter({ prefixes: ['short'] }) })
  for await (const { event } of subscription) {
    t.is(event?.revision, 118n)
    break
  }
  await subscription.unsubscribe()
  await store.close()
  const again = await open(t, path)
  t.deepEqual([await read(again.client, 'kept'), await read(again.client, 'short')], shown)
})

test.serial('one that is stopped, or ended with the server, keeps what it has done and can be begun again', async (t) => {
  const { path } = await folder(t)
  const store = await open(t, path)
  await store.client.setStreamMetadata('short', { maxCount: 1 })
  for (let n = 0; n < 30; n++) await store.client.appendToStream('short', events(10, 60_000))
  const { id } = await store.start()
  t.deepEqual(await store.stop('current'), { id, result: STOPPED })
  t.is((await completed(store, id)).result, 'Stopped')
  const last = await read(store.client, 'short')
  const ended = await store.start()
  await store.close()
  const again = await open(t, path)
  t.is((await completed(again, ended.id)).result, 'Stopped')
  t.deepEqual(await read(again.client, 'short'), last)
  t.is((await completed(again, (await again.start()).id)).result, 'Success')
  t.deepEqual(await read(again.client, 'short'), last)
})

test.serial('a group goes on where it was, without the events that are gone, and keeps two of its checkpoints', async (t) => {
  const { path } = await folder(t)
  const store = await open(t, path)
  const { client } = store
  await client.appendToStream('work', events(10))
  await client.createPersistentSubscriptionToStream(
    'work',
    'workers',
    persistentSubscriptionToStreamSettingsFromDefaults({
      startFrom: START,
      checkPointLowerBound: 1,
      checkPointUpperBound: 1,
      checkPointAfter: 1,
    }),
  )
  const take = async ({ client: from }: Opened, count: number) => {
    const taken: (bigint | undefined)[] = []
    const subscription = from.subscribeToPersistentSubscriptionToStream('work', 'workers')
    for await (const delivery of subscription) {
      taken.push(delivery.event?.revision)
      await subscription.ack(delivery)
      if (taken.length === count) break
    }
    await subscription.unsubscribe()
    return taken
  }
  t.deepEqual(await take(store, 3), [0n, 1n, 2n])
  await client.setStreamMetadata('work', { truncateBefore: 6 })
  t.is((await completed(store, (await store.start()).id)).result, 'Success')
  await store.close()
  const again = await open(t, path)
  t.deepEqual(await take(again, 4), [6n, 7n, 8n, 9n])
  t.true((await read(again.client, '$persistentsubscription-work::workers-checkpoint')).length <= 2)
})
