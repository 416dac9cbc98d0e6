import { calculateObjectSize, ObjectId } from 'bson'
import { type Doc, MAX_DOCUMENT_BYTES } from '../document.ts'
import { CommandError } from '../errors.ts'
import { compileFilter } from '../query/match.ts'
import { equalValues } from '../query/order.ts'
import { parseSort, type Sort, sortDocuments } from '../query/sort.ts'
import { type IndexScan, planScan } from './plan.ts'
import { createSecondaryIndex, type IndexDefinition, type SecondaryIndex, type StoredDocument } from './secondary-index.ts'
import type { Space } from './space.ts'

export type Selection = { filter: Doc; sort?: unknown; skip?: number; limit?: number }

/** How a selection was answered, for `explain`. */
export type Execution = { scan: IndexScan | undefined; keysExamined: number; documentsExamined: number; returned: number }

export type Collection = {
  readonly namespace: string
  readonly size: number
  readonly indexes: ReadonlyMap<string, SecondaryIndex>
  /** @throws DuplicateKey, BSONObjectTooLarge */
  insert(value: Doc): Doc
  /** @throws DuplicateKey, BSONObjectTooLarge, ImmutableField */
  replace(stored: StoredDocument, value: Doc): void
  remove(stored: StoredDocument): void
  select(selection: Selection): { documents: StoredDocument[]; execution: Execution }
  /** @throws DuplicateKey, IndexOptionsConflict, IndexKeySpecsConflict */
  createIndex(definition: IndexDefinition): void
  dropIndex(name: string): void
  /** Gives the space of all documents back. */
  clear(): void
}

const MAX_INDEXES = 64

const ID_INDEX: IndexDefinition = { name: '_id_', key: { _id: 1 }, unique: true, sparse: false }

const sameOptions = (a: IndexDefinition, b: IndexDefinition): boolean =>
  a.unique === b.unique && a.sparse === b.sparse && equalValues(a.partialFilterExpression, b.partialFilterExpression)

const sameKey = (a: IndexDefinition, b: IndexDefinition): boolean => equalValues(a.key, b.key)

/** `_id` comes first, and is made when it is missing. */
function withId(value: Doc): Doc {
  const { _id = new ObjectId(), ...fields } = value
  if (Array.isArray(_id) || _id instanceof RegExp) throw new CommandError('InvalidIdField', "the '_id' value cannot be an array or a regex")
  return { _id, ...fields }
}

function measure(value: Doc): number {
  const bytes = calculateObjectSize(value)
  if (bytes > MAX_DOCUMENT_BYTES)
    throw new CommandError('BSONObjectTooLarge', `document of ${bytes} bytes exceeds the limit of ${MAX_DOCUMENT_BYTES}`)
  return bytes
}

export function createCollection(namespace: string, space: Space): Collection {
  const documents = new Set<StoredDocument>()
  const indexes = new Map<string, SecondaryIndex>([[ID_INDEX.name, createSecondaryIndex(ID_INDEX, namespace)]])
  let sequence = 0

  function insert(value: Doc): Doc {
    const complete = withId(value)
    const bytes = measure(complete)
    for (const index of indexes.values()) index.check(complete)
    space.take(bytes)
    const stored = { sequence: sequence++, value: complete, bytes }
    documents.add(stored)
    for (const index of indexes.values()) index.add(stored)
    return complete
  }

  function replace(stored: StoredDocument, value: Doc): void {
    if (!equalValues(stored.value._id, value._id))
      throw new CommandError('ImmutableField', "performing an update on the path '_id' would modify the immutable field '_id'")
    const bytes = measure(value)
    for (const index of indexes.values()) index.check(value, stored)
    space.take(bytes - stored.bytes)
    const before = stored.value
    stored.value = value
    stored.bytes = bytes
    for (const index of indexes.values()) index.move(stored, before)
  }

  function remove(stored: StoredDocument): void {
    for (const index of indexes.values()) index.remove(stored)
    documents.delete(stored)
    space.take(-stored.bytes)
  }

  function* scanned({ index, ranges, backwards }: IndexScan, execution: Execution): Generator<StoredDocument> {
    const seen = index.multikey ? new Set<StoredDocument>() : undefined
    for (const range of ranges) {
      for (const stored of index.scan(range, backwards)) {
        execution.keysExamined++
        if (seen?.has(stored)) continue
        seen?.add(stored)
        yield stored
      }
    }
  }

  function select({ filter, sort: order, skip = 0, limit = 0 }: Selection): { documents: StoredDocument[]; execution: Execution } {
    const matches = compileFilter(filter)
    const sort: Sort = parseSort(order)
    const scan = planScan(filter, sort, indexes.values())
    const execution: Execution = { scan, keysExamined: 0, documentsExamined: 0, returned: 0 }
    const sorted = sort.length === 0 || scan?.sorted === true
    const enough = sorted && limit > 0 ? skip + limit : Number.POSITIVE_INFINITY
    const found: StoredDocument[] = []
    for (const stored of scan ? scanned(scan, execution) : documents) {
      execution.documentsExamined++
      if (matches(stored.value) && found.push(stored) >= enough) break
    }
    const ordered = sorted ? found : sortDocuments(found, sort, (stored) => stored.value)
    const selected = skip > 0 || limit > 0 ? ordered.slice(skip, limit > 0 ? skip + limit : undefined) : ordered
    execution.returned = selected.length
    return { documents: selected, execution }
  }

  function createIndex(definition: IndexDefinition): void {
    for (const { definition: existing } of indexes.values()) {
      const [named, keyed] = [existing.name === definition.name, sameKey(existing, definition)]
      if (keyed && (existing === ID_INDEX || (named && sameOptions(existing, definition)))) return
      if (named && !keyed) throw new CommandError('IndexKeySpecsConflict', `an index named ${definition.name} exists with another key`)
      if (keyed) throw new CommandError('IndexOptionsConflict', `the same index exists with other options or as ${existing.name}`)
    }
    if (indexes.size >= MAX_INDEXES) throw new CommandError('CannotCreateIndex', `a collection has at most ${MAX_INDEXES} indexes`)
    const index = createSecondaryIndex(definition, namespace)
    for (const stored of documents) {
      index.check(stored.value)
      index.add(stored)
    }
    indexes.set(definition.name, index)
  }

  return {
    namespace,
    get size() {
      return documents.size
    },
    indexes,
    insert,
    replace,
    remove,
    select,
    createIndex,
    dropIndex(name) {
      indexes.delete(name)
    },
    clear() {
      for (const { bytes } of documents) space.take(-bytes)
      documents.clear()
    },
  }
}
