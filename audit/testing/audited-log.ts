/** A log and a database of their own, for keepers of a tree to work between. */
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import { MongoClient } from 'mongodb'
import { startEmbeddedEventStore } from '../../adapters/embedded/eventstore/server.ts'
import { startEmbeddedMongo } from '../../adapters/embedded/mongodb/server.ts'
import { connectEventLog } from '../../adapters/eventstore/event-log.ts'
import { newIdentity } from '../../adapters/identity/testing/coordinator.ts'
import { verifyIdentity } from '../../adapters/identity/verify.ts'
import { connectMongo } from '../../adapters/mongodb/connect.ts'
import { canonicalEvent } from '../../domain/audit/canonical-event.ts'
import { type Checkpoint, readCheckpoint } from '../../domain/audit/checkpoint.ts'
import { CHECKPOINT_STREAM, checkpointSigned } from '../../domain/audit/checkpoint-stream.ts'
import { growTree, type Hash, leafHash } from '../../domain/audit/merkle-tree.ts'
import type { NoteKey } from '../../domain/audit/signed-note.ts'
import type { Documents } from '../../domain/ports/documents.ts'
import type { EventLog, NewEvent, RecordedEvent } from '../../domain/ports/event-log.ts'
import type { Identity } from '../../domain/ports/identity.ts'
import type { LastSigned } from '../../domain/ports/signed-checkpoints.ts'
import { type KeeperOptions, keepTree } from '../keeper.ts'
import { sha256 } from './sha256.ts'

export type TestLog = {
  log: EventLog
  /** Events of wallets, one stream after the other. */
  append(count: number): Promise<NewEvent[]>
  /** Those that the log has signed, in their order. */
  checkpoints(): Promise<Checkpoint[]>
}

export type Signer = { identity: Identity; key: NoteKey; lastSigned: LastSigned }

export const METADATA: NewEvent['metadata'] = {
  commandId: 'c',
  correlationId: 'c',
  causationId: 'c',
  actor: 'a',
  tenant: 'acme',
  occurredAt: '2026-01-01T00:00:00.000Z',
  schemaVersion: 1,
}

/** A key of a log, and what it signed last, in memory. */
export function newSigner(origin = 'log.example/test'): Signer {
  const identity = newIdentity(origin)
  let last: string | undefined
  return {
    identity,
    key: { name: origin, kind: 'ed25519', publicKey: identity.publicKey },
    lastSigned: {
      read: async () => last,
      async write(note) {
        last = note
      },
    },
  }
}

export async function openTestLog(t: ExecutionContext, key: NoteKey): Promise<TestLog> {
  const server = await startEmbeddedEventStore({ port: 0 })
  const log = connectEventLog({ url: server.url })
  t.teardown(async () => {
    await log.close()
    await server.close()
  })
  return {
    log,
    async append(count) {
      const events = newEvents(count)
      await log.append(`wallet-${randomUUID()}`, 'no_stream', events)
      return events
    },
    async checkpoints() {
      const found: Checkpoint[] = []
      for await (const event of log.readStream(CHECKPOINT_STREAM))
        found.push(readCheckpoint(checkpointSigned(event).note, key, verifyIdentity).checkpoint)
      return found
    },
  }
}

export const newEvents = (count: number): NewEvent[] =>
  Array.from({ length: count }, (_, n) => ({ id: randomUUID(), type: 'Happened', data: { n }, metadata: METADATA }))

export async function openTestDocuments(t: ExecutionContext): Promise<Documents & { lose(...collections: string[]): Promise<void> }> {
  const server = await startEmbeddedMongo({ port: 0 })
  const store = await connectMongo({ url: server.url, database: 'audit' })
  const client = await MongoClient.connect(server.url)
  t.teardown(async () => {
    await client.close()
    await store.close()
    await server.close()
  })
  return {
    ...store.documents,
    /** Those collections, or all of them. */
    async lose(...collections) {
      const database = client.db('audit')
      if (collections.length === 0) await database.dropDatabase()
      for (const name of collections) await database.dropCollection(name)
    },
  }
}

export type Keeper = { failures: unknown[]; stop(): Promise<void> }

/** Signs as soon as there is something new, unless it is told otherwise. */
export function startKeeper(
  t: ExecutionContext,
  work: Signer & { log: EventLog; documents: Documents } & Partial<Pick<KeeperOptions, 'everyEvents' | 'everyMs'>>,
): Keeper {
  const stopping = new AbortController()
  const failures: unknown[] = []
  const kept = keepTree({
    everyEvents: 1,
    everyMs: 10,
    ...work,
    verify: verifyIdentity,
    sha256,
    tenant: '*',
    signal: stopping.signal,
    onFailure: (error) => failures.push(error),
  })
  const stop = () => {
    stopping.abort()
    return kept
  }
  t.teardown(stop)
  return { failures, stop }
}

/** The root that the definition gives for the first events of the log, or all of them. */
export async function rootOfLog(log: EventLog, size = Number.POSITIVE_INFINITY): Promise<{ size: number; root: Hash }> {
  const tree = growTree()
  for await (const event of log.readAll())
    if (event.stream.startsWith('wallet-') && tree.size() < size) tree.append(leafHash(new TextEncoder().encode(canonicalEvent(event))))
  return { size: tree.size(), root: tree.root() }
}

export async function allOf(log: EventLog): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  for await (const event of log.readAll()) events.push(event)
  return events
}

/** What the condition returns once it holds. */
export async function until<T>(condition: () => Promise<T | undefined | false>): Promise<T> {
  const deadline = Date.now() + 20_000
  for (;;) {
    const held = await condition()
    if (held) return held
    if (Date.now() > deadline) throw new Error('it did not come to pass within 20 s')
    await delay(20)
  }
}
