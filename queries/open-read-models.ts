import type { Documents } from '../domain/ports/documents.ts'
import type { Messages } from '../domain/ports/messages.ts'
import { type Freshness, followProjection } from './freshness.ts'
import { READ_MODELS, type ReadModelName, type ReadModels, requireWhole } from './read-model.ts'

const READY_WITHIN_MS = 1_000

export type OpenReadModels = ReadModels & {
  /** The event at the position is in the log: documents that follow from it may be on their way. */
  expect(position: bigint): void
  /** Resolves when every read model holds all that is expected of it. @throws Problem `read_model_behind` */
  ready(): Promise<void>
  close(): void
}

/** Follows every read model's projection. `checkpoints` are the names under which the projections keep theirs. */
export async function openReadModels({
  documents,
  messages,
  checkpoints,
}: {
  documents: Documents
  messages: Pick<Messages, 'subscribe'>
  checkpoints: { readonly [Name in ReadModelName]: string }
}): Promise<OpenReadModels> {
  const followed = await Promise.all(
    READ_MODELS.map(
      async (name) => [name, await followProjection({ projection: name, checkpoint: checkpoints[name], messages, documents })] as const,
    ),
  )
  const freshness = Object.fromEntries(followed) as { [Name in ReadModelName]: Freshness }
  const all = Object.values(freshness)
  return {
    documents,
    freshness,
    expect: (position) => {
      for (const each of all) each.expect(position)
    },
    ready: async () => {
      const request = { preferWaitSeconds: 0, signal: AbortSignal.timeout(READY_WITHIN_MS) }
      await Promise.all(all.map((each) => requireWhole(each, each.awaited(), request)))
    },
    close: () => {
      for (const each of all) each.close()
    },
  }
}
