/** Real servers for workers to work between, and workers as the test wants them. */
import { randomUUID } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import { MongoClient } from 'mongodb'
import { startEmbeddedEventStore } from '../../adapters/embedded/eventstore/server.ts'
import { startEmbeddedMongo } from '../../adapters/embedded/mongodb/server.ts'
import { startEmbeddedNats } from '../../adapters/embedded/nats/server.ts'
import { connectEventLog } from '../../adapters/eventstore/event-log.ts'
import { connectMongo, type ReadModelStore } from '../../adapters/mongodb/connect.ts'
import { connectMessages } from '../../adapters/nats/messages.ts'
import { watchProjectionWorkers } from '../../adapters/nats/projection-workers.ts'
import type { Document } from '../../domain/ports/documents.ts'
import type { EventLog, NewEvent } from '../../domain/ports/event-log.ts'
import type { Messages } from '../../domain/ports/messages.ts'
import { type Build, BuildGone, collectionOf, PARTITIONS } from '../../domain/ports/projections.ts'
import { changeFeed } from '../../projections/change-feed.ts'
import { presence } from '../../projections/presence.ts'
import type { Projection } from '../../projections/projection.ts'
import { startWorker, type Worker, type WorkerOptions } from '../../projections/worker.ts'

export type Workplace = {
  log: EventLog
  messages: Messages
  /** A database of its own, through the adapters and as it is. */
  openDatabase(): Promise<Database>
}

export type Database = ReadModelStore & {
  drop(): Promise<void>
  /** All documents of a build, by id. */
  read(build: Build, collection: string): Promise<Document[]>
}

export async function openWorkplace(t: ExecutionContext): Promise<Workplace> {
  const [eventStore, mongo, nats] = await Promise.all([
    startEmbeddedEventStore({ port: 0 }),
    startEmbeddedMongo({ port: 0 }),
    startEmbeddedNats({ port: 0 }),
  ])
  const log = connectEventLog({ url: eventStore.url })
  const messages = await connectMessages({ url: nats.url, name: 'test' })
  const client = await MongoClient.connect(mongo.url)
  const opened: ReadModelStore[] = []
  t.teardown(async () => {
    await Promise.all(opened.map(({ close }) => close()))
    await client.close()
    await messages.close()
    await log.close()
    await Promise.all([nats.close(), mongo.close(), eventStore.close()])
  })
  return {
    log,
    messages,
    async openDatabase() {
      const database = client.db(randomUUID())
      const store = await connectMongo({ url: mongo.url, database: database.databaseName })
      opened.push(store)
      return {
        ...store,
        drop: async () => void (await database.dropDatabase()),
        read: (build, collection) => database.collection<Document>(collectionOf(build, collection)).find().sort({ _id: 1 }).toArray(),
      }
    },
  }
}

/** A worker of those projections; what else it is given replaces what it would work with. */
export function employ(
  t: ExecutionContext,
  { log, messages }: Pick<Workplace, 'log' | 'messages'>,
  { documents, projections: store }: Pick<ReadModelStore, 'documents' | 'projections'>,
  options: Partial<WorkerOptions> & Pick<WorkerOptions, 'projections'>,
): Worker {
  const workers = watchProjectionWorkers(messages)
  const worker = startWorker({
    log,
    documents,
    store,
    feed: changeFeed(messages),
    presence: presence(messages, workers.listen),
    graceMs: 60_000,
    onFailure: () => {},
    ...options,
  })
  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= worker.close().finally(workers.close)
    return closed
  }
  t.teardown(close)
  return { ...worker, close }
}

export async function append(log: EventLog, stream: string, events: readonly { type?: string; data: unknown }[]): Promise<bigint> {
  const { position } = await log.append(
    stream,
    'any',
    events.map(({ type = 'Happened', data }) => ({ id: randomUUID(), type, data, metadata: METADATA }) as unknown as NewEvent),
  )
  return position
}

const METADATA = {
  commandId: 'c',
  correlationId: 'c',
  causationId: 'c',
  actor: 'a',
  tenant: 'acme',
  occurredAt: '2026-01-01T00:00:00.000Z',
  schemaVersion: 1,
}

/** The build that readers are given, once it holds everything up to the position. */
export async function activeAt(
  { projections: store }: Pick<ReadModelStore, 'projections'>,
  { name }: Pick<Projection, 'name'>,
  position: bigint,
): Promise<Build | undefined> {
  const { active } = await store.builds(name)
  const checkpoints = active && (await store.checkpoints(active).catch(ifGone))
  if (!checkpoints) return undefined
  const reached = Array.from({ length: PARTITIONS }, (_, partition) => checkpoints.get(partition)?.position ?? -1n)
  return reached.every((each) => each >= position) ? active : undefined
}

function ifGone(error: unknown): undefined {
  if (!(error instanceof BuildGone)) throw error
}
