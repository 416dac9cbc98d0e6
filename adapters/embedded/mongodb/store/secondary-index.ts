import { type Doc, isDocument } from '../document.ts'
import { CommandError } from '../errors.ts'
import { fieldsOf } from '../query/fields.ts'
import { compileFilter, type Predicate } from '../query/match.ts'
import { compareValues, equalValues } from '../query/order.ts'
import { valuesAt } from '../query/paths.ts'
import { parseSort, type Sort } from '../query/sort.ts'
import { keyAfter, type SortKey, sortKey } from '../query/sort-key.ts'
import type { RecordId } from './records.ts'
import { createSortedEntries, type Range } from './sorted-entries.ts'

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
  /** Top-level fields of documents that decide about their keys; undefined when all may. */
  readonly reads: ReadonlySet<string> | undefined
  /** Some document has, or had, an array in one of the fields: it is listed once per element, and order means nothing for sorting. */
  readonly multikey: boolean
  /** @throws CannotIndexParallelArrays, BadValue */
  keysOf(value: Doc): SortKey[]
  /** @throws DuplicateKey when the keys of a document, stored in place of `replaced`, would break uniqueness */
  check(keys: readonly SortKey[], value: Doc, replaced?: RecordId): void
  add(keys: readonly SortKey[], id: RecordId): void
  remove(keys: readonly SortKey[], id: RecordId): void
  scan(range: Range, backwards: boolean): Iterable<RecordId>
}

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

const topLevel = (path: string): string => path.split('.', 1)[0]!

export function createSecondaryIndex(definition: IndexDefinition, namespace: () => string): SecondaryIndex {
  const fields = parseSort(definition.key)
  const paths = fields.map(([path]) => path)
  const { partialFilterExpression } = definition
  const inPartial: Predicate | undefined = partialFilterExpression && compileFilter(partialFilterExpression)
  const partialReads = fieldsOf(partialFilterExpression ?? {})
  const entries = createSortedEntries()
  let multikey = false

  function keysOf(value: Doc): SortKey[] {
    if (inPartial && !inPartial(value)) return []
    if (definition.sparse && paths.every((path) => valuesAt(value, path).every((each) => each === undefined))) return []
    const parts = paths.map((path) => keyParts(value, path))
    const key = (element: number): SortKey => {
      const values = parts.map(({ parts }) => parts[parts.length > 1 ? element : 0])
      return sortKey(values, fields)
    }
    if (parts.every(({ many }) => !many)) return [key(0)]
    multikey = true
    if (parts.filter((part) => part.parts.length > 1).length > 1)
      throw new CommandError('CannotIndexParallelArrays', `cannot index parallel arrays in ${paths.join(', ')}`)
    const count = Math.max(...parts.map((part) => part.parts.length))
    if (count > MAX_KEYS_PER_DOCUMENT)
      throw new CommandError('BadValue', `a document has at most ${MAX_KEYS_PER_DOCUMENT} keys in one index`)
    return Array.from({ length: count }, (_, i) => key(i))
  }

  function duplicate(value: Doc, which: number): CommandError {
    const parts = paths.map((path) => keyParts(value, path).parts)
    const keyValue = Object.fromEntries(paths.map((path, i) => [path, parts[i]![parts[i]!.length > 1 ? which : 0]]))
    const shown = paths.map((path) => `${path}: ${JSON.stringify(keyValue[path])}`).join(', ')
    const message = `E11000 duplicate key error collection: ${namespace()} index: ${definition.name} dup key: { ${shown} }`
    return new CommandError('DuplicateKey', message, { keyPattern: definition.key, keyValue })
  }

  return {
    definition,
    fields,
    reads: partialReads && new Set([...paths.map(topLevel), ...partialReads]),
    get multikey() {
      return multikey
    },
    keysOf,
    check(keys, value, replaced) {
      if (!definition.unique) return
      for (const [i, key] of keys.entries())
        for (const id of entries.scan({ low: key, high: keyAfter(key) })) if (id !== replaced) throw duplicate(value, i)
    },
    add(keys, id) {
      for (const key of keys) entries.insert(key, id)
    },
    remove(keys, id) {
      for (const key of keys) entries.remove(key, id)
    },
    scan: entries.scan,
  }
}
