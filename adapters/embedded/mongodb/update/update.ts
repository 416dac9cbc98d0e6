import { Aggregator } from 'mingo/aggregator'
import { cloneValue, type Doc, isDocument } from '../document.ts'
import { CommandError } from '../errors.ts'
import { mingoOptions } from '../query/match.ts'
import { equalValues } from '../query/order.ts'
import { compileOperators } from './operators.ts'
import { changeAt, parsePath } from './path.ts'
import { positionsFor } from './positions.ts'

export type Update = {
  /** The new document, or undefined when nothing changes. The old one is used up. */
  apply(document: Doc): Doc | undefined
  /** The document that an upsert inserts: the equalities of the filter, with the update applied. */
  insertion(): Doc
}

const PIPELINE_STAGES = new Set(['$addFields', '$set', '$project', '$unset', '$replaceRoot', '$replaceWith'])

/** Fields that the filter fixes to one value, as an upsert takes them over. */
function equalities(filter: Doc): [path: string, value: unknown][] {
  return Object.entries(filter).flatMap(([path, condition]): [string, unknown][] => {
    if (path === '$and' && Array.isArray(condition)) return condition.flatMap((part) => equalities(part as Doc))
    if (path.startsWith('$') || condition instanceof RegExp) return []
    if (!isDocument(condition) || !Object.keys(condition).some((key) => key.startsWith('$'))) return [[path, condition]]
    return '$eq' in condition ? [[path, condition.$eq]] : []
  })
}

function seed(filter: Doc): Doc {
  const document: Doc = {}
  const nowhere = positionsFor({}, [])
  for (const [path, value] of equalities(filter)) changeAt(document, parsePath(path), () => cloneValue(value), true, nowhere)
  return document
}

function replacement(filter: Doc, fields: Doc): Update {
  if (Object.keys(fields).some((field) => field.startsWith('$')))
    throw new CommandError('DollarPrefixedFieldName', 'a replacement has no operators')
  return {
    apply(document) {
      const next = { _id: document._id, ...cloneValue(fields) }
      return equalValues(document, next) ? undefined : next
    },
    insertion: () => ({ ...('_id' in fields ? {} : idOf(filter)), ...cloneValue(fields) }),
  }
}

function idOf(filter: Doc): Doc {
  const { _id } = seed(filter)
  return _id === undefined ? {} : { _id }
}

function pipeline(filter: Doc, stages: readonly unknown[]): Update {
  for (const stage of stages) {
    const [name = ''] = isDocument(stage) ? Object.keys(stage) : []
    if (!PIPELINE_STAGES.has(name)) throw new CommandError('InvalidOptions', `${name || 'this stage'} is not allowed within an update`)
  }
  const aggregator = new Aggregator(stages as Doc[], mingoOptions)
  const run = (document: Doc): Doc => cloneValue(aggregator.run<Doc>([cloneValue(document)])[0]!)
  return {
    apply(document) {
      const next = run(document)
      return equalValues(document, next) ? undefined : next
    },
    insertion: () => run(seed(filter)),
  }
}

function operators(filter: Doc, update: Doc, arrayFilters: readonly unknown[], now: Date): Update {
  const modify = compileOperators(update, now)
  const positions = positionsFor(filter, arrayFilters)
  return {
    apply: (document) => (modify(document, positions, false) ? document : undefined),
    insertion() {
      const document = seed(filter)
      modify(document, positions, true)
      return document
    },
  }
}

/** An update document, a replacement or a pipeline, made ready for any number of documents. @throws CommandError when it is not valid */
export function compileUpdate(filter: Doc, update: unknown, arrayFilters: readonly unknown[] = [], now = new Date()): Update {
  if (Array.isArray(update)) return pipeline(filter, update)
  if (!isDocument(update)) throw new CommandError('FailedToParse', 'an update is a document or an array')
  const isModifier = Object.keys(update)[0]?.startsWith('$')
  return isModifier ? operators(filter, update, arrayFilters, now) : replacement(filter, update)
}

/** A replacement and not a set of operators: it may not be applied to many documents. */
export const isReplacement = (update: unknown): boolean => isDocument(update) && !Object.keys(update)[0]?.startsWith('$')
