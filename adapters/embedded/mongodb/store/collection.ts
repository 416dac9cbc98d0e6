import { ObjectId } from 'bson'
import { decodeDocument } from '../bson/decode.ts'
import { encodeDocument } from '../bson/encode.ts'
import { type Doc, MAX_DOCUMENT_BYTES } from '../document.ts'
import { CommandError } from '../errors.ts'
import { type Fields, fieldsOf, fieldsOfPaths, union } from '../query/fields.ts'
import { compileFilter } from '../query/match.ts'
import { equalValues } from '../query/order.ts'
import { parseSort, type Sort, sortDocuments } from '../query/sort.ts'
import type { SortKey } from '../query/sort-key.ts'
import { isCostly, LIMIT_MS, withinTime } from '../query/time-limit.ts'
import { type IndexScan, planScan } from './plan.ts'
import { createRecords, type RecordId } from './records.ts'
import { createSecondaryIndex, type IndexDefinition, type SecondaryIndex } from './secondary-index.ts'
import type { Space } from './space.ts'

/** `limitMs` is what a filter with patterns or expressions may take. */
export type Selection = { filter: Doc; sort?: unknown; skip?: number; limit?: number; limitMs?: number }

/** How a selection was answered, for `explain`. */
export type Execution = { scan: IndexScan | undefined; keysExamined: number; documentsExamined: number; returned: number }

export type Collection = {
  readonly namespace: string
  readonly size: number
  /** What the documents take up of memory, with the space between them. */
  readonly allocatedBytes: number
  readonly indexes: ReadonlyMap<string, SecondaryIndex>
  /** Returns the `_id`. @throws DuplicateKey, BSONObjectTooLarge */
  insert(value: Doc): unknown
  /** The same for a document that is BSON already, and valid. */
  insertEncoded(encoded: Buffer): void
  /** @throws DuplicateKey, BSONObjectTooLarge, ImmutableField */
  replace(id: RecordId, value: Doc): void
  remove(id: RecordId): void
  select(selection: Selection): { ids: RecordId[]; execution: Execution }
  /** The document, or some of its fields, decoded afresh: it is the caller's. */
  read(id: RecordId, fields?: Fields): Doc
  /** Documents as they are now, as BSON, whatever is written while they are taken. */
  snapshot(ids: readonly RecordId[]): Iterable<Buffer>
  /** @throws DuplicateKey, IndexOptionsConflict, IndexKeySpecsConflict */
  createIndex(definition: IndexDefinition): void
  dropIndex(name: string): void
  rename(namespace: string): void
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
  if (Object.keys(value)[0] === '_id' && value._id !== undefined) return value
  const { _id = new ObjectId(), ...fields } = value
  return { _id, ...fields }
}

/** Type and name of the first field; of the types, `undefined` is none that counts. */
function beginsWithId(document: Buffer): boolean {
  return document[4] !== UNDEFINED && document.toString('latin1', 5, 9) === '_id\0'
}

const UNDEFINED = 0x06

function checkId(id: unknown): void {
  if (Array.isArray(id) || id instanceof RegExp) throw new CommandError('InvalidIdField', "the '_id' value cannot be an array or a regex")
}

function checkSize(bytes: number): void {
  if (bytes > MAX_DOCUMENT_BYTES)
    throw new CommandError('BSONObjectTooLarge', `document of ${bytes} bytes exceeds the limit of ${MAX_DOCUMENT_BYTES}`)
}

const sameKeys = (a: readonly SortKey[], b: readonly SortKey[]): boolean => a.length === b.length && a.every((key, i) => key === b[i])

export function createCollection(originalNamespace: string, space: Space): Collection {
  let namespace = originalNamespace
  const records = createRecords()
  const indexes = new Map<string, SecondaryIndex>([[ID_INDEX.name, createSecondaryIndex(ID_INDEX, () => namespace)]])
  let indexedFields: Fields = fieldsOfPaths(['_id'])

  const read = (id: RecordId, fields?: Fields): Doc => records.at(id, (bytes, from, to) => decodeDocument(bytes, from, to, fields))

  function insert(value: Doc): unknown {
    const complete = withId(value)
    store(complete, encodeDocument(complete))
    return complete._id
  }

  function insertEncoded(encoded: Buffer): void {
    if (beginsWithId(encoded)) store(decodeDocument(encoded, 0, encoded.length, indexedFields), encoded)
    else insert(decodeDocument(encoded))
  }

  /** Of the document as BSON its indexed fields are all that needs to be known. */
  function store(indexed: Doc, bytes: Uint8Array): void {
    checkId(indexed._id)
    checkSize(bytes.length)
    const entries = [...indexes.values()].map((index) => ({ index, keys: index.keysOf(indexed) }))
    for (const { index, keys } of entries) index.check(keys, indexed)
    space.take(bytes.length)
    const id = records.insert(bytes)
    for (const { index, keys } of entries) index.add(keys, id)
  }

  /** Indexes whose fields differ; a field that holds an object is taken to, since that takes a closer look. */
  function indexesToMove(id: RecordId, value: Doc): SecondaryIndex[] {
    const all = [...indexes.values()]
    const before = read(id, indexedFields)
    return all.filter(({ reads }) => {
      for (const field of reads ?? Object.keys(value)) if (before[field] !== value[field]) return true
      return reads === undefined
    })
  }

  function replace(id: RecordId, value: Doc): void {
    const bytes = encodeDocument(value)
    checkSize(bytes.length)
    const moves = indexesToMove(id, value).map((index) => ({
      index,
      before: index.keysOf(read(id, index.reads)),
      after: index.keysOf(value),
    }))
    const changed = moves.filter(({ before, after }) => !sameKeys(before, after))
    if (changed.some(({ index }) => index.definition === ID_INDEX))
      throw new CommandError('ImmutableField', "performing an update on the path '_id' would modify the immutable field '_id'")
    for (const { index, after } of changed) index.check(after, value, id)
    space.take(bytes.length - records.lengthOf(id))
    records.replace(id, bytes)
    for (const { index, before, after } of changed) {
      index.remove(before, id)
      index.add(after, id)
    }
  }

  function remove(id: RecordId): void {
    for (const index of indexes.values()) index.remove(index.keysOf(read(id, index.reads)), id)
    space.take(-records.lengthOf(id))
    records.remove(id)
  }

  function* scanned({ index, ranges, backwards }: IndexScan, execution: Execution): Generator<RecordId> {
    const seen = index.multikey ? new Set<RecordId>() : undefined
    for (const range of ranges) {
      for (const id of index.scan(range, backwards)) {
        execution.keysExamined++
        if (seen?.has(id)) continue
        seen?.add(id)
        yield id
      }
    }
  }

  /** A test of stored documents, which decodes no more of them than the filter looks at. */
  function matcher(filter: Doc, execution: Execution): (id: RecordId) => boolean {
    if (execution.scan?.exact) return () => true
    const matches = compileFilter(filter)
    const fields = fieldsOf(filter)
    if (fields?.size === 0) return () => true
    return (id) => {
      execution.documentsExamined++
      return matches(read(id, fields))
    }
  }

  function sorted(ids: RecordId[], sort: Sort): RecordId[] {
    const fields = fieldsOfPaths(sort.map(([path]) => path))
    return sortDocuments(ids, sort, (id) => read(id, fields))
  }

  function select({ filter, sort: order, skip = 0, limit = 0, limitMs = LIMIT_MS }: Selection): { ids: RecordId[]; execution: Execution } {
    const sort: Sort = parseSort(order)
    const scan = planScan(filter, sort, indexes.values())
    const execution: Execution = { scan, keysExamined: 0, documentsExamined: 0, returned: 0 }
    const matches = matcher(filter, execution)
    const inOrder = sort.length === 0 || scan?.sorted === true
    const enough = inOrder && limit > 0 ? skip + limit : Number.POSITIVE_INFINITY
    const find = (): RecordId[] => {
      const found: RecordId[] = []
      for (const id of scan ? scanned(scan, execution) : records.ids()) if (matches(id) && found.push(id) >= enough) break
      return found
    }
    const found = isCostly(filter) ? withinTime(find, limitMs) : find()
    const ordered = inOrder ? found : sorted(found, sort)
    const ids = skip > 0 || limit > 0 ? ordered.slice(skip, limit > 0 ? skip + limit : undefined) : ordered
    execution.returned = ids.length
    if (scan?.exact) execution.documentsExamined = found.length
    return { ids, execution }
  }

  function createIndex(definition: IndexDefinition): void {
    for (const { definition: existing } of indexes.values()) {
      const [named, keyed] = [existing.name === definition.name, sameKey(existing, definition)]
      const same = keyed && (existing === ID_INDEX || sameOptions(existing, definition))
      if (same && (named || existing === ID_INDEX)) return
      if (same) throw new CommandError('IndexOptionsConflict', `the same index exists already as ${existing.name}`)
      if (named)
        throw new CommandError('IndexKeySpecsConflict', `an index named ${definition.name} exists with another key or other options`)
    }
    if (indexes.size >= MAX_INDEXES) throw new CommandError('CannotCreateIndex', `a collection has at most ${MAX_INDEXES} indexes`)
    const index = createSecondaryIndex(definition, () => namespace)
    for (const id of records.ids()) {
      const value = read(id, index.reads)
      const keys = index.keysOf(value)
      index.check(keys, value)
      index.add(keys, id)
    }
    indexes.set(definition.name, index)
    indexedFields = union([...indexes.values()].map(({ reads }) => reads))
  }

  return {
    get namespace() {
      return namespace
    },
    get size() {
      return records.size
    },
    get allocatedBytes() {
      return records.allocatedBytes
    },
    indexes,
    insert,
    insertEncoded,
    replace,
    remove,
    select,
    read,
    snapshot: records.snapshot,
    createIndex,
    dropIndex(name) {
      indexes.delete(name)
      indexedFields = union([...indexes.values()].map(({ reads }) => reads))
    },
    rename(next) {
      namespace = next
    },
    clear() {
      for (const id of records.ids()) space.take(-records.lengthOf(id))
      records.clear()
    },
  }
}
