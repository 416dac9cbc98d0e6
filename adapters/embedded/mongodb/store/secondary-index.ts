import { type Doc, isDocument } from '../document.ts'
import { CommandError } from '../errors.ts'
import { compileFilter, type Predicate } from '../query/match.ts'
import { compareValues, equalValues } from '../query/order.ts'
import { valuesAt } from '../query/paths.ts'
import { parseSort, type Sort } from '../query/sort.ts'
import { createSortedEntries, type Range } from './sorted-entries.ts'

/** A document in its place: the value is replaced as a whole, the sequence says when it was inserted. */
export type StoredDocument = { readonly sequence: number; value: Doc; bytes: number }

/** As in `createIndexes`. */
export type IndexDefinition = {
  name: string
  key: { [path: string]: 1 | -1 }
  unique: boolean
  sparse: boolean
  partialFilterExpression?: Doc
}

export type SecondaryIndex = {
  readonly definition: IndexDefinition
  readonly fields: Sort
  /** Some document has, or had, an array in one of the fields: it is listed once per element, and order means nothing for sorting. */
  readonly multikey: boolean
  /** @throws DuplicateKey when the document, stored in place of `replaced`, would break uniqueness */
  check(value: Doc, replaced?: StoredDocument): void
  add(stored: StoredDocument): void
  /** After the value of a document has been replaced. */
  move(stored: StoredDocument, before: Doc): void
  remove(stored: StoredDocument): void
  scan(range: Range, backwards: boolean): Generator<StoredDocument>
}

type Key = readonly unknown[]
type Entry = { key: Key; stored: StoredDocument }

const MAX_KEYS_PER_DOCUMENT = 10_000

/** @throws CannotCreateIndex for kinds of index that this server does not have */
export function parseIndexDefinition(spec: Doc): IndexDefinition {
  const { key, name, unique, sparse, partialFilterExpression } = spec
  if (!isDocument(key) || Object.keys(key).length === 0) throw new CommandError('CannotCreateIndex', 'an index needs a key')
  for (const option of ['expireAfterSeconds', 'collation', 'wildcardProjection', 'weights', 'storageEngine'])
    if (spec[option] !== undefined) throw new CommandError('CannotCreateIndex', `the embedded server has no index option ${option}`)
  for (const [path, direction] of Object.entries(key))
    if ((direction !== 1 && direction !== -1) || path.includes('$'))
      throw new CommandError('CannotCreateIndex', `the embedded server indexes only in ascending (1) or descending (-1) order: ${path}`)
  return {
    name: typeof name === 'string' ? name : Object.entries(key).flat().join('_'),
    key: key as IndexDefinition['key'],
    unique: unique === true,
    sparse: sparse === true,
    ...(isDocument(partialFilterExpression) && { partialFilterExpression }),
  }
}

const present = (value: unknown): unknown => value ?? null

/** What a field contributes to keys: its value, or each distinct element when arrays are involved (an empty one stands for itself). */
function keyParts(value: Doc, path: string): { parts: unknown[]; many: boolean } {
  const values = valuesAt(value, path)
  if (values.length === 1 && !Array.isArray(values[0])) return { parts: [present(values[0])], many: false }
  const elements = values.flatMap((each) => (Array.isArray(each) && each.length > 0 ? each : [each])).map(present)
  elements.sort(compareValues)
  return { parts: elements.filter((element, i) => i === 0 || !equalValues(element, elements[i - 1])), many: true }
}

export function createSecondaryIndex(definition: IndexDefinition, namespace: string): SecondaryIndex {
  const fields = parseSort(definition.key)
  const inPartial: Predicate | undefined = definition.partialFilterExpression && compileFilter(definition.partialFilterExpression)
  let multikey = false

  const compareKey = (key: Key, prefix: Key): number => {
    for (let i = 0; i < prefix.length; i++) {
      const order = compareValues(key[i], prefix[i])
      if (order !== 0) return order * fields[i]![1]
    }
    return 0
  }
  const entries = createSortedEntries<Entry>(
    (a, b) => compareKey(a.key, b.key) || a.stored.sequence - b.stored.sequence,
    (entry, prefix) => compareKey(entry.key, prefix),
  )

  const exactly = (key: Key): Range => ({ low: { prefix: key, inclusive: true }, high: { prefix: key, inclusive: true } })

  function keysOf(value: Doc): Key[] {
    if (inPartial && !inPartial(value)) return []
    const parts = fields.map(([path]) => keyParts(value, path))
    if (definition.sparse && fields.every(([path]) => valuesAt(value, path).every((each) => each === undefined))) return []
    if (parts.every(({ many }) => !many)) return [parts.map((part) => part.parts[0])]
    multikey = true
    if (parts.filter((part) => part.parts.length > 1).length > 1)
      throw new CommandError('BadValue', `cannot index parallel arrays in ${Object.keys(definition.key).join(', ')}`)
    const count = Math.max(...parts.map((part) => part.parts.length))
    if (count > MAX_KEYS_PER_DOCUMENT)
      throw new CommandError('BadValue', `a document has at most ${MAX_KEYS_PER_DOCUMENT} keys in one index`)
    return Array.from({ length: count }, (_, i) => parts.map((part) => part.parts[part.parts.length > 1 ? i : 0]))
  }

  function duplicate(key: Key): CommandError {
    const keyValue = Object.fromEntries(fields.map(([path], i) => [path, key[i]]))
    const shown = fields.map(([path], i) => `${path}: ${JSON.stringify(key[i])}`).join(', ')
    const message = `E11000 duplicate key error collection: ${namespace} index: ${definition.name} dup key: { ${shown} }`
    return new CommandError('DuplicateKey', message, { keyPattern: definition.key, keyValue })
  }

  function insertAll(keys: readonly Key[], stored: StoredDocument): void {
    for (const key of keys) entries.insert({ key, stored })
  }

  function removeAll(keys: readonly Key[], stored: StoredDocument): void {
    for (const key of keys) entries.remove({ key, stored })
  }

  return {
    definition,
    fields,
    get multikey() {
      return multikey
    },
    check(value, replaced) {
      const keys = keysOf(value)
      if (!definition.unique) return
      for (const key of keys) for (const entry of entries.scan(exactly(key))) if (entry.stored !== replaced) throw duplicate(key)
    },
    add: (stored) => insertAll(keysOf(stored.value), stored),
    move(stored, before) {
      const [old, next] = [keysOf(before), keysOf(stored.value)]
      if (old.length === next.length && old.every((key, i) => compareKey(key, next[i]!) === 0)) return
      removeAll(old, stored)
      insertAll(next, stored)
    },
    remove: (stored) => removeAll(keysOf(stored.value), stored),
    *scan(range, backwards) {
      for (const entry of entries.scan(range, backwards)) yield entry.stored
    },
  }
}
