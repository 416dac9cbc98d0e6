import type { Documents } from '../domain/ports/documents.ts'
import type { Messages } from '../domain/ports/messages.ts'
import type { ProjectionStore } from '../domain/ports/projections.ts'
import { circuitBreaker } from './circuit-breaker.ts'
import { type Freshness, followProjection } from './freshness.ts'
import { READ_MODELS, type ReadModelName, type ReadModels, requireWhole } from './read-model.ts'
import { storedDocuments } from './stored-documents.ts'
import type { WorkerReports } from './worker-reports.ts'

const READY_WITHIN_MS = 1_000

/** What the read side asks of, and tells, the projection store: nothing waits for it that is known to be away. */
export type OperatedStore = Pick<ProjectionStore, 'builds' | 'checkpoints' | 'begin' | 'parked' | 'requestRetry'>

export type OpenReadModels = ReadModels & {
  store: OperatedStore
  /** The event at the position is in the log: documents that follow from it may be on their way. */
  expect(position: bigint): void
  /** Resolves when every read model holds all that is expected of it. @throws Problem `read_model_behind`; Unavailable */
  ready(): Promise<void>
  close(): void
}

/** Follows every read model's projection. */
export async function openReadModels({
  documents,
  store,
  messages,
  workers,
}: {
  documents: Pick<Documents, 'get' | 'find' | 'ping'>
  store: OperatedStore
  messages: Pick<Messages, 'subscribe'>
  workers: WorkerReports
}): Promise<OpenReadModels> {
  const breaker = circuitBreaker({ dependency: 'mongodb', probe: () => documents.ping() })
  const guarded: OperatedStore = {
    builds: (...args) => breaker.run(() => store.builds(...args)),
    checkpoints: (...args) => breaker.run(() => store.checkpoints(...args)),
    begin: (...args) => breaker.run(() => store.begin(...args)),
    parked: (...args) => breaker.run(() => store.parked(...args)),
    requestRetry: (...args) => breaker.run(() => store.requestRetry(...args)),
  }
  const followed = await Promise.all(
    READ_MODELS.map(async (name) => [name, await followProjection({ projection: name, store: guarded, messages, workers })] as const),
  )
  const freshness = Object.fromEntries(followed) as { [Name in ReadModelName]: Freshness }
  const all = Object.values(freshness)
  return {
    documents: storedDocuments(documents, breaker),
    freshness,
    store: guarded,
    expect: (position) => {
      for (const each of all) each.expect(position)
    },
    ready: async () => {
      const request = { preferWaitSeconds: 0, signal: AbortSignal.timeout(READY_WITHIN_MS) }
      await Promise.all(all.map((each) => requireWhole(each, each.awaited(), request)))
    },
    close: () => {
      for (const each of all) each.close()
      breaker.close()
    },
  }
}
