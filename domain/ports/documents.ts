/** What the outside must provide to keep read models (MongoDB, real or embedded). */
import type { Json, JsonObject } from './event-log.ts'

export type Document = JsonObject & { _id: string }

/**
 * A write guarded by position: it takes effect only on a document whose last write had a lower position, so that a repeat changes nothing.
 * `create` makes the document when it is missing; without it a missing document is an error, never silently skipped.
 * Keys of `set` and `increment` are dotted paths.
 */
export type GuardedWrite = {
  collection: string
  id: string
  create: boolean
  set?: JsonObject
  increment?: { [path: string]: number }
  /** Appends one value to an array field, bounded by the projection itself. */
  push?: { [path: string]: Json }
}

export type Find = {
  /** Equality on fields. */
  where: { [field: string]: Json }
  /** Sorted by this field; documents after (`asc`) or before (`desc`) the value, when given. The field must be unique within `where`. */
  by: string
  direction: 'asc' | 'desc'
  beyond?: Json | undefined
  limit: number
}

export type IndexSpec = { collection: string; fields: { [field: string]: 1 | -1 }; unique?: boolean }

/** A document is not there though an event says that it must be. */
export class DocumentMissing extends Error {
  override readonly name = 'DocumentMissing'
  constructor(
    readonly collection: string,
    readonly id: string,
  ) {
    super(`${collection}/${id} is missing`)
  }
}

/** The checkpoint is not where this writer left it: the store lost its data, or another writer has taken over. */
export class CheckpointMoved extends Error {
  override readonly name = 'CheckpointMoved'
}

export interface Documents {
  /** Documents carry `_id`, their own fields and `position` (number). @throws Unavailable */
  get(collection: string, id: string): Promise<Document | undefined>
  find(collection: string, options: Find): Promise<Document[]>

  /** Applies the writes of one position in order. @throws DocumentMissing, Unavailable */
  apply(batch: readonly { position: bigint; writes: readonly GuardedWrite[] }[]): Promise<void>

  ensureIndexes(indexes: readonly IndexSpec[]): Promise<void>

  /** Undefined when the projection has none yet. */
  readCheckpoint(projection: string): Promise<bigint | undefined>
  /** Moves the checkpoint from `from` to `to`; -1 is before every event. @throws CheckpointMoved when it is not at `from` */
  moveCheckpoint(projection: string, from: bigint | undefined, to: bigint): Promise<void>

  /** Forgets the collections and the checkpoint of a projection, before a rebuild. */
  drop(projection: string, collections: readonly string[]): Promise<void>

  /** @throws Unavailable */
  ping(): Promise<void>
  close(): Promise<void>
}
