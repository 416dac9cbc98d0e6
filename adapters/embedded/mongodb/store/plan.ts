import { type Doc, isDocument } from '../document.ts'
import { equalValues, typeRank } from '../query/order.ts'
import type { Sort } from '../query/sort.ts'
import type { SecondaryIndex } from './secondary-index.ts'
import type { Range } from './sorted-entries.ts'

/** Which entries of which index to look at; `sorted` when they come in the order asked for. The filter is still applied to each. */
export type IndexScan = { index: SecondaryIndex; ranges: Range[]; backwards: boolean; sorted: boolean }

type Limit = { value: unknown; inclusive: boolean }

/** What a filter demands of one field, as far as an index can help. */
type Demand = { equal?: readonly unknown[]; above?: Limit; below?: Limit }

const MAX_POINTS = 10_000

/** Arrays and patterns match in ways that an index key does not tell. */
const indexable = (value: unknown): boolean => !Array.isArray(value) && !(value instanceof RegExp)

function addCondition(demand: Demand, operator: string, operand: unknown): void {
  if (!indexable(operand) && operator !== '$in') return
  switch (operator) {
    case '$eq':
      demand.equal ??= [operand]
      break
    case '$in':
      if (Array.isArray(operand) && operand.every(indexable)) demand.equal ??= operand
      break
    case '$gt':
    case '$gte':
      demand.above ??= { value: operand, inclusive: operator === '$gte' }
      break
    case '$lt':
    case '$lte':
      demand.below ??= { value: operand, inclusive: operator === '$lte' }
      break
  }
}

function demandsOf(filter: Doc, demands = new Map<string, Demand>()): Map<string, Demand> {
  for (const [path, condition] of Object.entries(filter)) {
    if (path === '$and' && Array.isArray(condition)) {
      for (const part of condition) if (isDocument(part)) demandsOf(part, demands)
    } else if (!path.startsWith('$')) {
      const demand = demands.get(path) ?? {}
      demands.set(path, demand)
      const operators = isDocument(condition) && Object.keys(condition).some((key) => key.startsWith('$'))
      if (!operators) addCondition(demand, '$eq', condition)
      else for (const [operator, operand] of Object.entries(condition)) addCondition(demand, operator, operand)
    }
  }
  return demands
}

/** The directions must all agree with the index, or all be the opposite. */
function sortMatch(sort: Sort, fields: Sort): 'forwards' | 'backwards' | undefined {
  if (sort.length === 0 || sort.length > fields.length || sort.some(([path], i) => fields[i]![0] !== path)) return undefined
  if (sort.every(([, direction], i) => fields[i]![1] === direction)) return 'forwards'
  return sort.every(([, direction], i) => fields[i]![1] !== direction) ? 'backwards' : undefined
}

function rangeOn(prefix: readonly unknown[], direction: 1 | -1, demand: Demand): Range {
  const [low, high] = direction === 1 ? [demand.above, demand.below] : [demand.below, demand.above]
  return {
    low: low ? { prefix: [...prefix, low.value], inclusive: low.inclusive } : { prefix, inclusive: true },
    high: high ? { prefix: [...prefix, high.value], inclusive: high.inclusive } : { prefix, inclusive: true },
  }
}

function combinations(points: readonly (readonly unknown[])[]): unknown[][] {
  return points.reduce<unknown[][]>((prefixes, values) => prefixes.flatMap((prefix) => values.map((value) => [...prefix, value])), [[]])
}

const distinct = (values: readonly unknown[]): unknown[] =>
  values.every((value) => typeof value === 'string')
    ? [...new Set(values)]
    : values.filter((value, i) => values.findIndex((other) => equalValues(value, other)) === i)

function scanOf(index: SecondaryIndex, demands: ReadonlyMap<string, Demand>, sort: Sort): { scan: IndexScan; score: number } | undefined {
  const { definition, fields } = index
  const first = demands.get(fields[0]![0])
  if (definition.partialFilterExpression) return undefined
  if (definition.sparse && (first?.equal?.some((value) => typeRank(value) === 5) ?? !(first?.above ?? first?.below))) return undefined

  const points: (readonly unknown[])[] = []
  for (const [path] of fields) {
    const equal = demands.get(path)?.equal
    if (!equal || points.reduce((count, values) => count * values.length, equal.length) > MAX_POINTS) break
    points.push(distinct(equal))
  }
  const next = fields[points.length]
  const demand = next && !index.multikey ? demands.get(next[0]) : undefined
  const bounded = demand?.above !== undefined || demand?.below !== undefined

  // Fields fixed to one value do not matter for the order, wherever the sort names them.
  const fixed = new Set(fields.slice(0, points.length).map(([path]) => path))
  const wanted = sort.filter(([path]) => !fixed.has(path))
  const single = points.every((values) => values.length === 1) && !index.multikey
  const match = sortMatch(wanted, fields.slice(points.length))
  const sorted = sort.length === 0 || (single && (wanted.length === 0 || match !== undefined))

  const score = points.length * 4 + (bounded ? 2 : 0) + (sort.length > 0 && sorted ? 1 : 0)
  if (score === 0) return undefined
  const ranges = combinations(points).map((prefix) => rangeOn(prefix, next?.[1] ?? 1, demand ?? {}))
  return { scan: { index, ranges, backwards: sorted && match === 'backwards', sorted }, score }
}

/** The most selective index for the filter and the order, or undefined: look at every document. */
export function planScan(filter: Doc, sort: Sort, indexes: Iterable<SecondaryIndex>): IndexScan | undefined {
  const demands = demandsOf(filter)
  let best: { scan: IndexScan; score: number } | undefined
  for (const index of indexes) {
    const candidate = scanOf(index, demands, sort)
    if (candidate && (!best || candidate.score > best.score)) best = candidate
  }
  return best?.scan
}
