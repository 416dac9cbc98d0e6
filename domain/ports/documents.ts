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

/** What the event at a position makes of documents. */
export type PositionedWrites = { position: bigint; writes: readonly GuardedWrite[] }

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

/** The store will never take this write, whatever is tried again: it breaks a unique index, does not fit the document, or cannot be stored at all. */
export class WriteRefused extends Error {
  override readonly name = 'WriteRefused'
  constructor(
    readonly collection: string,
    /** Why, in one word or number of the store's own; never data of the document. */
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`a write to ${collection} is refused: ${reason}`, options)
  }
}

/** Collections are named as they are in the store: `collectionOf` says how that of a read model's build is. */
export interface Documents {
  /** Documents carry `_id`, their own fields and `position` (number). @throws Unavailable */
  get(collection: string, id: string): Promise<Document | undefined>
  find(collection: string, options: Find): Promise<Document[]>

  /**
   * Applies writes in rising order of position, those of one position in their order. When it throws, some may have taken effect.
   * @throws DocumentMissing, WriteRefused, Unavailable
   */
  apply(batch: readonly PositionedWrites[]): Promise<void>

  ensureIndexes(indexes: readonly IndexSpec[]): Promise<void>

  /** @throws Unavailable */
  ping(): Promise<void>
}
