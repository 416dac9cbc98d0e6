import { type Doc, isDocument } from '../document.ts'

/** Top-level fields of a document; undefined stands for all of them. */
export type Fields = ReadonlySet<string> | undefined

export const NO_FIELDS: Fields = new Set()

function topLevel(path: string): string {
  const dot = path.indexOf('.')
  return dot < 0 ? path : path.slice(0, dot)
}

/** Adds what `expression` refers to; false when that may be anything. */
type Collect = (expression: unknown, fields: Set<string>) => boolean

const collected = (collect: Collect, expression: unknown): Fields => {
  const fields = new Set<string>()
  return collect(expression, fields) ? fields : undefined
}

const collectFilter: Collect = (filter, fields) =>
  isDocument(filter) &&
  Object.keys(filter).every((path) => {
    const condition = filter[path]
    if (path.startsWith('$'))
      return path === '$comment' || (Array.isArray(condition) && condition.every((part) => collectFilter(part, fields)))
    fields.add(topLevel(path))
    return true
  })

const collectExpression: Collect = (expression, fields) => {
  if (Array.isArray(expression)) return expression.every((part) => collectExpression(part, fields))
  if (isDocument(expression)) return Object.values(expression).every((part) => collectExpression(part, fields))
  if (typeof expression !== 'string' || !expression.startsWith('$')) return true
  fields.add(topLevel(expression.slice(1)))
  return !expression.startsWith('$$')
}

export const union = (sets: readonly Fields[]): Fields =>
  sets.every((set) => set !== undefined) ? new Set(sets.flatMap((set) => [...set])) : undefined

export const fieldsOfPaths = (paths: readonly string[]): Fields => new Set(paths.map(topLevel))

/** The fields that a filter looks at. */
export const fieldsOf = (filter: Doc): Fields => collected(collectFilter, filter)

/** The fields that an expression of the aggregation pipeline refers to as `$path`. */
export const fieldsOfExpression = (expression: unknown): Fields => collected(collectExpression, expression)
