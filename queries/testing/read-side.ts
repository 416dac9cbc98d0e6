/** The read side over a real broker and real documents, with the test in the role of the projection workers. */
import { randomUUID } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import { openChains } from '../../adapters/chains/registry.ts'
import { temporaryDataKeys } from '../../adapters/data-keys/testing/temporary-keys.ts'
import { startEmbeddedEventStore } from '../../adapters/embedded/eventstore/server.ts'
import { startEmbeddedMongo } from '../../adapters/embedded/mongodb/server.ts'
import { startEmbeddedNats } from '../../adapters/embedded/nats/server.ts'
import { connectEventLog } from '../../adapters/eventstore/event-log.ts'
import { enrolCoordinator } from '../../adapters/identity/testing/coordinator.ts'
import { connectMongo } from '../../adapters/mongodb/connect.ts'
import { watchCoordinators } from '../../adapters/nats/coordinators.ts'
import { connectMessages } from '../../adapters/nats/messages.ts'
import { type WatchedWorkers, watchProjectionWorkers } from '../../adapters/nats/projection-workers.ts'
import type { DataKeys } from '../../domain/ports/data-keys.ts'
import type { Documents } from '../../domain/ports/documents.ts'
import type { JsonObject } from '../../domain/ports/event-log.ts'
import type { Identity } from '../../domain/ports/identity.ts'
import type { Messages } from '../../domain/ports/messages.ts'
import { type Build, type BuildReport, collectionOf, PARTITIONS, type ProjectionStore } from '../../domain/ports/projections.ts'
import { createMetrics } from '../../http/metrics.ts'
import { type RunningApp, runApp } from '../../http/testing/running-app.ts'
import { observeCoordination } from '../coordination/metrics.ts'
import { type OpenReadModels, openReadModels } from '../open-read-models.ts'
import { observeProjections } from '../projections/metrics.ts'
import { projectionRoutes } from '../projections/routes.ts'
import { READ_MODELS, type ReadModelName } from '../read-model.ts'
import { queryRoutes } from '../routes.ts'
import { type Gate, startGate } from './gate.ts'

export type Backends = {
  documents: Documents
  store: ProjectionStore
  messages: Messages
  /** The ways to MongoDB and to NATS. */
  mongo: Gate
  nats: Gate
  /** MongoDB has lost everything. */
  loseDocuments(): Promise<void>
}

export async function startBackends(t: ExecutionContext): Promise<Backends> {
  const [mongoServer, natsServer] = await Promise.all([startEmbeddedMongo({ port: 0 }), startEmbeddedNats({ port: 0 })])
  const [mongo, nats] = await Promise.all([startGate(mongoServer.port), startGate(natsServer.port)])
  const through = (url: string, { port }: Gate) => url.replace(/:\d+/, `:${port}`)
  const { documents, projections: store, close } = await connectMongo({ url: through(mongoServer.url, mongo), database: 'quorate' })
  const messages = await connectMessages({ url: through(natsServer.url, nats), name: 'test' })
  const servers = [mongo, nats, natsServer, mongoServer]
  t.teardown(async () => {
    await messages.close()
    await close()
    for (const server of servers) await server.close()
  })
  return {
    documents,
    store,
    messages,
    mongo,
    nats,
    async loseDocuments() {
      const empty = await startEmbeddedMongo({ port: 0 })
      servers.push(empty)
      mongo.leadTo(empty.port)
    },
  }
}

export const ALL_PARTITIONS: readonly number[] = Array.from({ length: PARTITIONS }, (_, partition) => partition)

/** A projection worker, as far as the read side can see one. */
export type Worker = {
  /** A build of the projection that readers read from, at the beginning of the log. */
  activeBuild(projection: string): Promise<Build>
  /** Says that partitions of the build hold everything up to the position. */
  reach(build: Build, position: bigint, partitions?: readonly number[]): void
  /** Says that a document has been written. */
  change(projection: string, key: string, position: bigint): void
  report(build: Build, said: Partial<BuildReport>, workerId?: string): void
}

export function actAsWorker({ store, messages }: Pick<Backends, 'store' | 'messages'>): Worker {
  const publish = (subject: string, content: object) => messages.publish(subject, Buffer.from(JSON.stringify(content)))
  return {
    async activeBuild(projection) {
      const build = await store.begin(projection, 1)
      await store.activate(build)
      return build
    },
    reach(build, position, partitions = ALL_PARTITIONS) {
      publish(`quorate.projection.${build.projection}`, { position: String(position), build: build.id, partitions })
    },
    change(projection, key, position) {
      publish(`quorate.projection.${projection}.${key}`, { position: String(position) })
    },
    report({ id, projection, version }, said, workerId = 'worker-1') {
      const report: BuildReport = {
        projection,
        version,
        build: id,
        role: 'active',
        partitions: ALL_PARTITIONS,
        position: null,
        lagEvents: 0,
        lagMs: 0,
        currentAt: null,
        events: 0,
        parked: 0,
        failure: null,
        ...said,
      }
      publish(`quorate.projections.${workerId}`, { workerId, startedAt: new Date().toISOString(), leaving: false, builds: [report] })
    },
  }
}

export type ReadSide = Backends & {
  /** The only one whose reports are heard. */
  coordinator: Identity
  app: RunningApp
  models: OpenReadModels
  workers: WatchedWorkers
  worker: Worker
  dataKeys: DataKeys
  builds: { [Name in ReadModelName]: Build }
  /** Position of the event projected last. */
  position(): bigint
  /** Projects one event: writes fields of a document, and announces it. */
  project(model: ReadModelName, id: string, fields: JsonObject): Promise<bigint>
}

export async function startReadSide(t: ExecutionContext): Promise<ReadSide> {
  const backends = await startBackends(t)
  const { documents, store, messages } = backends
  const worker = actAsWorker(backends)
  const builds = Object.fromEntries(
    await Promise.all(READ_MODELS.map(async (name) => [name, await worker.activeBuild(name)])),
  ) as ReadSide['builds']
  const workers = watchProjectionWorkers(messages)
  const models = await openReadModels({ documents, store, messages, workers })
  t.teardown(() => {
    models.close()
    workers.close()
  })
  await messages.ping()
  const operated = {
    models,
    workers,
    catalogue: READ_MODELS.map((name) => ({ name, version: 1 })),
    alertWorkers: () => messages.publish('quorate.projections.look', new Uint8Array()),
  }
  const metrics = createMetrics()
  observeProjections(metrics.registry, operated)
  const parties = { ids: ['party-1', 'party-2'], isUp: (id: string) => id === 'party-1', health: () => undefined }
  const enrolled = enrolCoordinator()
  const coordinators = watchCoordinators(messages, enrolled.witness)
  observeCoordination(metrics.registry, { parties, coordinators })
  t.teardown(coordinators.close)
  const eventStore = await startEmbeddedEventStore({ port: 0 })
  const log = connectEventLog({ url: eventStore.url })
  t.teardown(async () => {
    await log.close()
    await eventStore.close()
  })
  const { keys } = await temporaryDataKeys(t)
  const chains = await openChains(undefined)
  const queries = queryRoutes({ models, parties, coordinators, chains, log, stored: log, documents, keys })
  const app = await runApp(t, [...queries, ...projectionRoutes(operated)], { metrics })
  let position = 1n
  return {
    ...backends,
    app,
    coordinator: enrolled.identity,
    dataKeys: keys,
    models,
    workers,
    worker,
    builds,
    position: () => position,
    async project(model, id, fields) {
      position += 1n
      await documents.apply([{ position, writes: [{ collection: collectionOf(builds[model], model), id, create: true, set: fields }] }])
      worker.change(model, id, position)
      for (const name of READ_MODELS) worker.reach(builds[name], position)
      return position
    },
  }
}

const AT = '2026-01-01T00:00:00.000Z'

/** The fields of documents as the projections write them, under fresh ids. */
export function walletFields(tenant = 'acme'): JsonObject & { walletId: string } {
  return {
    walletId: randomUUID(),
    tenant,
    name: 'Treasury',
    status: 'open',
    clientKeys: [{ kid: 'k1', kty: 'OKP', crv: 'Ed25519', x: 'AA' }],
    policy: { rawDigests: false },
    keyIds: [],
    createdAt: AT,
    updatedAt: AT,
    revision: 0,
  }
}

export function keyFields(walletId: string, tenant = 'acme'): JsonObject & { keyId: string } {
  return {
    keyId: randomUUID(),
    walletId,
    tenant,
    scheme: 'frost-ed25519',
    status: 'pending',
    threshold: 2,
    parties: ['party-1', 'party-2', 'party-3'],
    publicKey: null,
    epoch: 0,
    attempt: 0,
    failure: null,
    createdAt: AT,
    updatedAt: AT,
    revision: 0,
  }
}

export function accountFields(keyId: string, walletId: string, tenant = 'acme'): JsonObject & { accountId: string } {
  return {
    accountId: randomUUID(),
    walletId,
    tenant,
    keyId,
    scheme: 'frost-ed25519',
    chain: 'solana:localnet',
    path: 'm/0/5',
    publicKey: '00',
    address: '1',
    createdAt: AT,
    updatedAt: AT,
    revision: 0,
  }
}

export function sessionFields(keyId: string, walletId: string, tenant = 'acme'): JsonObject & { sessionId: string } {
  return {
    sessionId: randomUUID(),
    keyId,
    walletId,
    tenant,
    scheme: 'frost-ed25519',
    status: 'requested',
    payload: { kind: 'message', encoding: 'utf8', data: 'hello' },
    signature: null,
    signers: [],
    attempt: 0,
    round: null,
    failure: null,
    approvals: null,
    granted: [],
    refused: [],
    deadline: AT,
    createdAt: AT,
    updatedAt: AT,
    revision: 0,
  }
}
