import { Context } from 'mingo/core'
import * as accumulators from 'mingo/operators/accumulator'
import * as expressions from 'mingo/operators/expression'
import * as stages from 'mingo/operators/pipeline'
import * as projections from 'mingo/operators/projection'
import * as queries from 'mingo/operators/query'
import * as windows from 'mingo/operators/window'
import { Query } from 'mingo/query'
import type { Options } from 'mingo/types'
import { type Doc, isDocument } from '../document.ts'
import { CommandError } from '../errors.ts'
import { $avg, $max, $min, $sum } from './accumulators.ts'
import { compareValues, equalValues, typeRank } from './order.ts'
import { candidatesAt, valuesAt } from './paths.ts'
import { sortStage } from './sort.ts'
import { ASCENDING, sortKey } from './sort-key.ts'

export type Predicate = (document: Doc) => boolean

/** Values of different types never compare with `<` or `>`; null and a missing field are one type. */
const ranged =
  (accepts: (order: number) => boolean) =>
  (path: string, operand: unknown): Predicate => {
    const rank = typeRank(operand)
    return (document) => candidatesAt(document, path).some((value) => typeRank(value) === rank && accepts(compareValues(value, operand)))
  }

const equals =
  (path: string, operand: unknown): Predicate =>
  (document) =>
    candidatesAt(document, path).some((value) => equalValues(value, operand))

function within(path: string, operands: unknown): Predicate {
  if (!Array.isArray(operands)) throw new CommandError('BadValue', '$in needs an array')
  const strings = new Set(operands.filter((operand) => typeof operand === 'string'))
  const patterns = operands.filter((operand) => operand instanceof RegExp)
  const others = new Set(
    operands
      .filter((operand) => typeof operand !== 'string' && !(operand instanceof RegExp))
      .map((operand) => sortKey([operand], ASCENDING)),
  )
  const includes = (value: unknown): boolean =>
    typeof value === 'string'
      ? strings.has(value) || patterns.some((pattern) => pattern.test(value))
      : others.size > 0 && others.has(sortKey([value], ASCENDING))
  return (document) => candidatesAt(document, path).some(includes)
}

const not =
  (make: (path: string, operand: unknown) => Predicate) =>
  (path: string, operand: unknown): Predicate => {
    const predicate = make(path, operand)
    return (document) => !predicate(document)
  }

const exists = (path: string, operand: unknown): Predicate => {
  const wanted = Boolean(operand)
  return (document) => valuesAt(document, path).some((value) => value !== undefined) === wanted
}

const ignored = (): Predicate => () => true

/** In BSON's order, in place of mingo's operators, which know neither 64-bit integers nor the rest of BSON's types. */
const comparisons = {
  $eq: equals,
  $ne: not(equals),
  $in: within,
  $nin: not(within),
  $gt: ranged((order) => order > 0),
  $gte: ranged((order) => order >= 0),
  $lt: ranged((order) => order < 0),
  $lte: ranged((order) => order <= 0),
  $exists: exists,
  $comment: ignored,
}

const { $out: _out, $merge: _merge, ...readingStages } = stages

type Operators = NonNullable<Parameters<typeof Context.init>[0]>

/** Options of every mingo call: nothing that a client sends may run as a script, or write behind the indexes' back. */
export const mingoOptions: Partial<Options> = {
  scriptEnabled: false,
  context: Context.init({
    accumulator: { ...accumulators, $sum, $avg, $min, $max } as unknown as Operators['accumulator'] & object,
    expression: expressions,
    projection: projections,
    window: windows,
    query: { ...queries, ...comparisons } as unknown as Operators['query'] & object,
    pipeline: { ...readingStages, $sort: sortStage } as unknown as Operators['pipeline'] & object,
  }),
}

/** The predicate for one field when only comparisons are asked of it, undefined when mingo has to look. */
function compareField(path: string, condition: unknown): Predicate | undefined {
  if (path.startsWith('$') || condition instanceof RegExp) return undefined
  if (!isDocument(condition) || !Object.keys(condition).some((key) => key.startsWith('$'))) return equals(path, condition)
  const predicates: Predicate[] = []
  for (const [operator, operand] of Object.entries(condition)) {
    if (!Object.hasOwn(comparisons, operator) || operand instanceof RegExp) return undefined
    predicates.push(comparisons[operator as keyof typeof comparisons](path, operand))
  }
  return allOf(predicates)
}

const allOf = (predicates: readonly Predicate[]): Predicate =>
  predicates.length === 1 ? predicates[0]! : (document) => predicates.every((predicate) => predicate(document))

const JUNCTIONS: { [operator: string]: (predicates: readonly Predicate[]) => Predicate } = {
  $and: allOf,
  $or: (predicates) => (document) => predicates.some((predicate) => predicate(document)),
  $nor: (predicates) => (document) => !predicates.some((predicate) => predicate(document)),
}

function join(operator: string, filters: unknown): Predicate {
  if (!Array.isArray(filters) || filters.length === 0 || !filters.every(isDocument))
    throw new CommandError('BadValue', `${operator} must be a nonempty array of filters`)
  return JUNCTIONS[operator]!(filters.map(compileFilter))
}

function compileCondition(path: string, condition: unknown): Predicate {
  if (Object.hasOwn(JUNCTIONS, path)) return join(path, condition)
  const comparison = compareField(path, condition)
  if (comparison) return comparison
  const query = new Query({ [path]: condition }, mingoOptions)
  return (document) => query.test(document)
}

/** @throws CommandError or mingo's error when the filter is not valid */
export const compileFilter = (filter: Doc): Predicate => allOf(Object.keys(filter).map((path) => compileCondition(path, filter[path])))
