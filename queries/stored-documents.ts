/** Documents of the read models, and what was read of them lately for while the database is away. */
import type { Document, Documents, Find } from '../domain/ports/documents.ts'
import { Unavailable } from '../domain/ports/event-log.ts'
import { collectionOf } from '../domain/ports/projections.ts'
import { type BoundedMemory, boundedMemory, weightOf } from './bounded-memory.ts'
import type { CircuitBreaker } from './circuit-breaker.ts'
import type { Reading } from './freshness.ts'

/** In bytes, roughly, for documents and lists each. */
const MAX_REMEMBERED_WEIGHT = 16 * 1024 * 1024

/** What was read, and as of which reading: the one that was asked for, or an earlier one. */
export type Stored<T> = { value: T; reading: Reading }

/** `model` is a read model, which is also the first part of its collections' names. Every method @throws Unavailable */
export interface StoredDocuments {
  get(model: string, reading: Reading, id: string): Promise<Stored<Document | undefined>>
  find(model: string, reading: Reading, find: Find): Promise<Stored<readonly Document[]>>
}

/** Reads from the build of the reading, and answers what was read last while the database is away. Who may see it is for the caller to check, every time. */
export function storedDocuments(
  documents: Pick<Documents, 'get' | 'find'>,
  breaker: Pick<CircuitBreaker, 'run'>,
  maxWeight = MAX_REMEMBERED_WEIGHT,
): StoredDocuments {
  const single = boundedMemory<Stored<Document | undefined>>(maxWeight)
  const lists = boundedMemory<Stored<readonly Document[]>>(maxWeight)

  async function read<T extends Document | readonly Document[] | undefined>(
    memory: BoundedMemory<Stored<T>>,
    key: string,
    reading: Reading,
    ask: () => Promise<T>,
  ): Promise<Stored<T>> {
    try {
      const stored = { value: await breaker.run(ask), reading }
      if (stored.value === undefined) memory.delete(key)
      else memory.set(key, stored, key.length + weightOf(stored.value))
      return stored
    } catch (error) {
      const remembered = error instanceof Unavailable ? memory.get(key) : undefined
      if (remembered === undefined) throw error
      return remembered
    }
  }

  return {
    get: (model, reading, id) => read(single, `${model}/${id}`, reading, () => documents.get(collectionOf(reading.build, model), id)),
    find: (model, reading, find) =>
      read(lists, `${model}/${JSON.stringify(find)}`, reading, () => documents.find(collectionOf(reading.build, model), find)),
  }
}
