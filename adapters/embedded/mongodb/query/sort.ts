import { Lazy, type Iterator as MingoIterator } from 'mingo/lazy'
import type { Doc } from '../document.ts'
import { CommandError } from '../errors.ts'
import { compareValues } from './order.ts'
import { valuesAt } from './paths.ts'

/** Paths and directions, the first the most significant. */
export type Sort = readonly (readonly [path: string, direction: 1 | -1])[]

/** @throws BadValue */
export function parseSort(spec: unknown): Sort {
  return Object.entries((spec ?? {}) as Doc).map(([path, direction]) => {
    if (direction !== 1 && direction !== -1) throw new CommandError('BadValue', `cannot sort ${path} by ${JSON.stringify(direction)}`)
    return [path, direction] as const
  })
}

/** An array sorts by its smallest element ascending and by its largest descending; an empty one before everything else. */
function sortValue(document: Doc, path: string, direction: 1 | -1): unknown {
  const values = valuesAt(document, path).flatMap((value) => (Array.isArray(value) ? value : [value]))
  return values.reduce((best, value) => (compareValues(value, best) * direction < 0 ? value : best), values[0])
}

/** Stable. `documentOf` finds the document in an item, and is called once for each. */
export function sortDocuments<Item>(items: readonly Item[], sort: Sort, documentOf: (item: Item) => Doc): Item[] {
  const keyed = items.map((item) => {
    const document = documentOf(item)
    return { item, keys: sort.map(([path, direction]) => sortValue(document, path, direction)) }
  })
  keyed.sort((a, b) => {
    for (let i = 0; i < sort.length; i++) {
      const order = compareValues(a.keys[i], b.keys[i])
      if (order !== 0) return order * sort[i]![1]
    }
    return 0
  })
  return keyed.map(({ item }) => item)
}

/** `$sort` of the aggregation pipeline in BSON's order. */
export const sortStage = (input: MingoIterator, spec: unknown): MingoIterator => {
  const sort = parseSort(spec)
  return input.transform((documents: Doc[]) => Lazy(sortDocuments(documents, sort, (document) => document)))
}
