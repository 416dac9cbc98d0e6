import { type Doc, isDocument } from '../document.ts'
import { typeRank } from '../query/order.ts'
import type { Sort } from '../query/sort.ts'
import { keyAfter, sortKey, typeKey } from '../query/sort-key.ts'
import type { SecondaryIndex } from './secondary-index.ts'
import type { Range } from './sorted-entries.ts'

/**
 * Which entries of which index to look at: `sorted` when they come in the order asked for, `exact` when they are those of the matching
 * documents and no others, so that the documents themselves need not be looked at.
 */
export type IndexScan = { index: SecondaryIndex; ranges: Range[]; backwards: boolean; sorted: boolean; exact: boolean }

type Limit = { value: unknown; inclusive: boolean }

/** What a filter demands of one field, as far as an index can help; `more` when that is not all. */
type Demand = { equal?: readonly unknown[]; above?: Limit; below?: Limit; more?: true }

/** By path; not `complete` when the filter has conditions that are not on one field. */
type Demands = { fields: Map<string, Demand>; complete: boolean }

const MAX_POINTS = 100_000

/** Arrays and patterns match in ways that an index key does not tell. */
const indexable = (value: unknown): boolean => !Array.isArray(value) && !(value instanceof RegExp)

function addCondition(demand: Demand, operator: string, operand: unknown): void {
  if (operator === '$eq' && !demand.equal && indexable(operand)) demand.equal = [operand]
  else if (operator === '$in' && !demand.equal && Array.isArray(operand) && operand.every(indexable)) demand.equal = operand
  else if ((operator === '$gt' || operator === '$gte') && !demand.above && indexable(operand))
    demand.above = { value: operand, inclusive: operator === '$gte' }
  else if ((operator === '$lt' || operator === '$lte') && !demand.below && indexable(operand))
    demand.below = { value: operand, inclusive: operator === '$lte' }
  else demand.more = true
}

function addDemands(filter: Doc, demands: Demands): void {
  for (const [path, condition] of Object.entries(filter)) {
    if (path === '$and' && Array.isArray(condition) && condition.every(isDocument)) {
      for (const part of condition) addDemands(part, demands)
    } else if (path.startsWith('$')) demands.complete = false
    else {
      const demand = demands.fields.get(path) ?? {}
      demands.fields.set(path, demand)
      const operators = isDocument(condition) && Object.keys(condition).some((key) => key.startsWith('$'))
      if (!operators) addCondition(demand, '$eq', condition)
      else for (const [operator, operand] of Object.entries(condition)) addCondition(demand, operator, operand)
    }
  }
}

/** The directions must all agree with the index, or all be the opposite. */
function sortMatch(sort: Sort, fields: Sort): 'forwards' | 'backwards' | undefined {
  if (sort.length === 0 || sort.length > fields.length || sort.some(([path], i) => fields[i]![0] !== path)) return undefined
  if (sort.every(([, direction], i) => fields[i]![1] === direction)) return 'forwards'
  return sort.every(([, direction], i) => fields[i]![1] !== direction) ? 'backwards' : undefined
}

/** Values compare only with those of their own type, so limits of two types help no index. */
function isBounded({ above, below }: Demand): boolean {
  if (above && below) return typeRank(above.value) === typeRank(below.value)
  return (above ?? below) !== undefined
}

/** The keys that begin with the values of `prefix`, and keep to the limits of the field after them when they are given. */
function rangeOn(prefix: readonly unknown[], fields: Sort, limits: Demand | undefined): Range {
  const bound = limits?.above ?? limits?.below
  if (!bound) {
    const key = sortKey(prefix, fields)
    return { low: key, high: keyAfter(key) }
  }
  const [first, last] = fields[prefix.length]![1] === 1 ? [limits?.above, limits?.below] : [limits?.below, limits?.above]
  const type = typeKey(prefix, bound.value, fields)
  const low = first ? sortKey([...prefix, first.value], fields) : type
  const high = last ? sortKey([...prefix, last.value], fields) : type
  return { low: first?.inclusive === false ? keyAfter(low) : low, high: last?.inclusive === false ? high : keyAfter(high) }
}

function combinations(points: readonly (readonly unknown[])[]): unknown[][] {
  return points.reduce<unknown[][]>((prefixes, values) => prefixes.flatMap((prefix) => values.map((value) => [...prefix, value])), [[]])
}

/** Without ranges that come twice, as those of equal values do. */
const distinct = (ranges: readonly Range[]): Range[] => [...new Map(ranges.map((range) => [range.low, range])).values()]

/** Fields at the head of the index that are fixed to one or several values. */
function pointsOf(fields: Sort, demands: ReadonlyMap<string, Demand>): (readonly unknown[])[] {
  const points: (readonly unknown[])[] = []
  let count = 1
  for (const [path] of fields) {
    const equal = demands.get(path)?.equal
    count *= equal?.length ?? 0
    if (!equal || count > MAX_POINTS) break
    points.push(equal)
  }
  return points
}

function scanOf(index: SecondaryIndex, demands: Demands, sort: Sort): { scan: IndexScan; score: number } | undefined {
  const { definition, fields, multikey } = index
  const first = demands.fields.get(fields[0]![0])
  if (definition.partialFilterExpression) return undefined
  if (definition.sparse && (first?.equal?.some((value) => typeRank(value) === 5) ?? !(first?.above ?? first?.below))) return undefined

  const points = pointsOf(fields, demands.fields)
  const fixed = new Set(fields.slice(0, points.length).map(([path]) => path))
  const next = fields[points.length]?.[0]
  const demand = next === undefined || multikey ? undefined : demands.fields.get(next)
  const limits = demand && isBounded(demand) ? demand : undefined

  // Fields fixed to one value do not matter for the order, wherever the sort names them.
  const wanted = sort.filter(([path]) => !fixed.has(path))
  const match = sortMatch(wanted, fields.slice(points.length))
  const ranges = distinct(combinations(points).map((prefix) => rangeOn(prefix, fields, limits)))
  const sorted = sort.length === 0 || (ranges.length <= 1 && !multikey && (wanted.length === 0 || match !== undefined))

  const score = points.length * 4 + (limits ? 2 : 0) + (sort.length > 0 && sorted ? 1 : 0)
  if (score === 0) return undefined
  const isMet = ([path, { above, below, more }]: [string, Demand]): boolean =>
    !more && (fixed.has(path) ? !above && !below : path === next && limits !== undefined)
  const exact = demands.complete && !multikey && [...demands.fields].every(isMet)
  return { scan: { index, ranges, backwards: sorted && match === 'backwards', sorted, exact }, score }
}

/** The most selective index for the filter and the order, or undefined: look at every document. */
export function planScan(filter: Doc, sort: Sort, indexes: Iterable<SecondaryIndex>): IndexScan | undefined {
  const demands: Demands = { fields: new Map(), complete: true }
  addDemands(filter, demands)
  let best: { scan: IndexScan; score: number } | undefined
  for (const index of indexes) {
    const candidate = scanOf(index, demands, sort)
    if (candidate && (!best || candidate.score > best.score)) best = candidate
  }
  return best?.scan
}
