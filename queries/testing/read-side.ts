/** The read side over a real broker and real documents, with the test in the role of the projection workers. */
import { randomUUID } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import { startEmbeddedMongo } from '../../adapters/embedded/mongodb/server.ts'
import { startEmbeddedNats } from '../../adapters/embedded/nats/server.ts'
import { connectDocuments } from '../../adapters/mongodb/documents.ts'
import { connectMessages } from '../../adapters/nats/messages.ts'
import type { Documents } from '../../domain/ports/documents.ts'
import type { JsonObject } from '../../domain/ports/event-log.ts'
import type { Messages } from '../../domain/ports/messages.ts'
import { type RunningApp, runApp } from '../../http/testing/running-app.ts'
import { type OpenReadModels, openReadModels } from '../open-read-models.ts'
import { READ_MODELS, type ReadModelName } from '../read-model.ts'
import { queryRoutes } from '../routes.ts'

export type Backends = { documents: Documents; messages: Messages }

export async function startBackends(t: ExecutionContext): Promise<Backends> {
  const [mongo, nats] = await Promise.all([startEmbeddedMongo({ port: 0 }), startEmbeddedNats({ port: 0 })])
  const documents = await connectDocuments({ url: mongo.url, database: 'quorate' })
  const messages = await connectMessages({ url: nats.url, name: 'test' })
  t.teardown(async () => {
    await messages.close()
    await documents.close()
    await nats.close()
    await mongo.close()
  })
  return { documents, messages }
}

/** What a projection worker says after it has written. */
export function announce(messages: Messages, subject: string, position: bigint): void {
  messages.publish(`quorate.projection.${subject}`, Buffer.from(JSON.stringify({ position: String(position) })))
}

export type ReadSide = {
  app: RunningApp
  models: OpenReadModels
  messages: Messages
  /** Position of the event projected last. */
  position(): bigint
  /** Projects one event: writes fields of a document, and announces it. */
  project(model: ReadModelName, id: string, fields: JsonObject): Promise<bigint>
}

export async function startReadSide(t: ExecutionContext): Promise<ReadSide> {
  const { documents, messages } = await startBackends(t)
  const checkpoints = Object.fromEntries(READ_MODELS.map((name) => [name, `${name}@1`])) as { [Name in ReadModelName]: string }
  for (const name of READ_MODELS) await documents.moveCheckpoint(checkpoints[name], undefined, 1n)
  const models = await openReadModels({ documents, messages, checkpoints })
  t.teardown(models.close)
  await messages.ping()
  const app = await runApp(t, queryRoutes(models, { ids: ['party-1', 'party-2'], isUp: (id) => id === 'party-1', health: () => undefined }))
  let position = 1n
  return {
    app,
    models,
    messages,
    position: () => position,
    async project(model, id, fields) {
      position += 1n
      await documents.apply([{ position, writes: [{ collection: model, id, create: true, set: fields }] }])
      announce(messages, `${model}.${id}`, position)
      for (const name of READ_MODELS) announce(messages, name, position)
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
