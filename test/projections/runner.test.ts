import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { startEmbeddedEventStore } from '../../adapters/embedded/eventstore/server.ts'
import { startEmbeddedMongo } from '../../adapters/embedded/mongodb/server.ts'
import { connectEventLog } from '../../adapters/eventstore/event-log.ts'
import { connectDocuments } from '../../adapters/mongodb/documents.ts'
import { execute } from '../../commands/execute.ts'
import type { Documents } from '../../domain/ports/documents.ts'
import { type EventLog, Unavailable } from '../../domain/ports/event-log.ts'
import { walletStream } from '../../domain/wallet/events.ts'
import { type WalletCommand, wallet } from '../../domain/wallet/wallet.ts'
import { checkpointName, type Projection } from '../../projections/projection.ts'
import { runProjection } from '../../projections/runner.ts'
import { walletHistory } from '../../projections/wallet-history.ts'
import { wallets } from '../../projections/wallets.ts'
import { until } from '../end-to-end/system.ts'

// One after the other: the client of an event store fails the appends of others in its process when it is closed.

const silent = { changed: () => {}, reached: () => {} }

async function startLog(t: ExecutionContext): Promise<EventLog> {
  const dataDir = await mkdtemp(join(tmpdir(), 'quorate-runner-'))
  const server = await startEmbeddedEventStore({ port: 0, dataDir })
  const log = connectEventLog({ url: server.url })
  t.teardown(async () => {
    await log.close()
    await server.close()
    await rm(dataDir, { recursive: true, force: true })
  })
  return log
}

async function startDocuments(t: ExecutionContext): Promise<Documents> {
  const server = await startEmbeddedMongo({ port: 0 })
  const documents = await connectDocuments({ url: server.url, database: 'runner' })
  t.teardown(async () => {
    await documents.close()
    await server.close()
  })
  return documents
}

function run(
  projection: Projection,
  log: EventLog,
  documents: Documents,
): { status(): { position: bigint | undefined }; stop(): Promise<void> } {
  const stop = new AbortController()
  const { done, status } = runProjection(projection, { log, documents, feed: silent, signal: stop.signal, onFailure: () => {} })
  return {
    status,
    stop: async () => {
      stop.abort()
      await done
    },
  }
}

const context = () => ({ commandId: randomUUID(), correlationId: 'c', causationId: 'c', actor: 'a', tenant: 'acme' })

async function change(log: EventLog, walletId: string, ...commands: readonly WalletCommand[]): Promise<bigint> {
  let position = 0n
  for (const command of commands)
    position = (await execute(log, { decider: wallet, stream: walletStream(walletId) }, () => command, context())).position as bigint
  return position
}

const create = (walletId: string): WalletCommand => ({
  type: 'CreateWallet',
  walletId,
  tenant: 'acme',
  name: walletId,
  clientKeys: [],
  policy: { rawDigests: false },
})
const attach = (keyId: string): WalletCommand => ({ type: 'AttachKey', keyId, scheme: 'frost-ed25519', publicKey: '00' })

const reached = (runner: { status(): { position: bigint | undefined } }, position: bigint) =>
  until(async () => (runner.status().position ?? -1n) >= position, `position ${position}`, 20_000)

const history = (documents: Documents, walletId: string) =>
  documents.find('wallet_history', { where: { walletId }, by: '_id', direction: 'asc', limit: 100 })

test.serial('a read model follows the log, and goes on from its checkpoint', async (t) => {
  const [log, documents] = [await startLog(t), await startDocuments(t)]
  const first = run(wallets, log, documents)
  await reached(first, await change(log, 'w1', create('w1'), attach('k1')))
  await first.stop()
  const position = await change(log, 'w1', attach('k2'), { type: 'Freeze', reason: '' })
  const second = run(wallets, log, documents)
  await reached(second, position)
  await second.stop()
  t.like(await documents.get('wallets', 'w1'), { keyIds: ['k1', 'k2'], status: 'frozen', revision: 3 })
  t.is(await documents.readCheckpoint(checkpointName(wallets)), position)
})

test.serial('events applied again, behind a checkpoint that was lost, change nothing', async (t) => {
  const [log, documents] = [await startLog(t), await startDocuments(t)]
  const lossy: Documents = { ...documents, moveCheckpoint: async () => {} }
  const first = run(wallets, log, lossy)
  const position = await change(log, 'w1', create('w1'), attach('k1'), attach('k2'))
  await reached(first, position)
  await first.stop()
  const before = await documents.get('wallets', 'w1')
  await documents.apply([{ position: 1n, writes: [{ collection: 'wallets', id: 'w1', create: false, push: { keyIds: 'late' } }] }])
  t.deepEqual(await documents.get('wallets', 'w1'), before)
})

test.serial('a store that fails now and then loses and doubles nothing', async (t) => {
  const [log, documents] = [await startLog(t), await startDocuments(t)]
  let calls = 0
  const unreliable: Documents = {
    ...documents,
    async apply(batch) {
      calls++
      if (calls % 3 === 1) throw new Unavailable('mongodb')
      await documents.apply(batch)
      if (calls % 3 === 2) throw new Unavailable('mongodb')
    },
  }
  const runner = run(walletHistory, log, unreliable)
  let position = await change(log, 'w1', create('w1'))
  for (let i = 0; i < 4; i++) {
    position = await change(log, 'w1', attach(`k${i}`))
    await reached(runner, position)
  }
  await runner.stop()
  t.deepEqual(
    (await history(documents, 'w1')).map(({ type, keyId }) => [type, keyId]),
    [['WalletCreated', undefined], ...Array.from({ length: 4 }, (_, i) => ['KeyAttached', `k${i}`])],
  )
  t.true(calls > 5)
})

test.serial('a read model that was thrown away while its worker runs is built from the log anew', async (t) => {
  const [log, documents] = [await startLog(t), await startDocuments(t)]
  const runner = run(wallets, log, documents)
  const position = await change(log, 'w1', create('w1'), attach('k1'))
  await reached(runner, position)
  await until(async () => (await documents.readCheckpoint(checkpointName(wallets))) === position, 'the checkpoint', 20_000)
  const before = await documents.get('wallets', 'w1')
  await documents.drop(checkpointName(wallets), wallets.collections)
  t.is(await documents.get('wallets', 'w1'), undefined)
  const rebuilt = await until(() => documents.get('wallets', 'w1'), 'the wallet to be back', 20_000)
  t.is(rebuilt.name, 'w1')
  await until(async () => (await documents.get('wallets', 'w1'))?.revision === before?.revision, 'the last event', 20_000)
  t.deepEqual(await documents.get('wallets', 'w1'), before)
  await runner.stop()
})

test.serial('a new version of a read model is built beside the checkpoint of the old one', async (t) => {
  const [log, documents] = [await startLog(t), await startDocuments(t)]
  const old = run(wallets, log, documents)
  const position = await change(log, 'w1', create('w1'))
  await reached(old, position)
  await old.stop()
  const next: Projection = {
    ...wallets,
    version: 2,
    apply: (event) => wallets.apply(event).map((write) => ({ ...write, set: { ...write.set, shape: 'new' } })),
  }
  const runner = run(next, log, documents)
  await reached(runner, position)
  await runner.stop()
  t.like(await documents.get('wallets', 'w1'), { shape: 'new' })
})
