import type { Documents } from '../domain/ports/documents.ts'
import type { Messages } from '../domain/ports/messages.ts'
import { type Freshness, followProjection } from './freshness.ts'
import { READ_MODELS, type ReadModelName, type ReadModels } from './read-model.ts'

export type OpenReadModels = ReadModels & {
  /** This process has appended the event at the position: documents that follow from it may be on their way. */
  expect(position: bigint): void
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
    close: () => {
      for (const each of all) each.close()
    },
  }
}
