import { Aggregator } from 'mingo/aggregator'
import { Query } from 'mingo/query'
import { cloneValue, type Doc } from '../document.ts'
import { CommandError } from '../errors.ts'
import { mingoOptions } from '../query/match.ts'
import { compareValues, equalValues } from '../query/order.ts'
import { candidatesAt } from '../query/paths.ts'
import type { Execution, Selection } from '../store/collection.ts'
import {
  type Call,
  type Command,
  type Commands,
  collectionName,
  countField,
  documentField,
  documentsField,
  refuseOptions,
} from './command.ts'

type Selected = { values: Doc[]; execution: Execution }

const NOTHING: Execution = { scan: undefined, keysExamined: 0, documentsExamined: 0, returned: 0 }

function select({ server, database }: Call, collection: string, selection: Selection): Selected {
  const found = server.databases.find(database, collection)?.select(selection)
  return found ? { values: found.documents.map(({ value }) => value), execution: found.execution } : { values: [], execution: NOTHING }
}

function* projected(values: readonly Doc[], projection: Doc, filter: Doc): Generator<Doc> {
  const positional = Object.keys(projection).some((path) => path.endsWith('.$'))
  const cursor = new Query(positional ? filter : {}, mingoOptions).find<Doc>(values as Doc[], projection)
  while (cursor.hasNext()) yield cursor.next()!
}

/** Lazily, so that only what is fetched is projected. */
export function project(values: readonly Doc[], projection: Doc, filter: Doc): Iterable<Doc> {
  return Object.keys(projection).length === 0 ? values : projected(values, projection, filter)
}

const UNSUPPORTED = ['collation', 'tailable', 'awaitData', 'min', 'max', 'returnKey', 'showRecordId']

function selectForFind(call: Call): { collection: string; filter: Doc; selected: Selected } {
  const { body } = call
  refuseOptions(body, UNSUPPORTED)
  const collection = collectionName(call)
  const filter = documentField(body, 'filter')
  const selection = {
    filter,
    sort: documentField(body, 'sort'),
    skip: countField(body, 'skip') ?? 0,
    limit: countField(body, 'limit') ?? 0,
  }
  return { collection, filter, selected: select(call, collection, selection) }
}

const find: Command = (call) => {
  const { collection, filter, selected } = selectForFind(call)
  const results = project(selected.values, documentField(call.body, 'projection'), filter)
  const options = { batchSize: countField(call.body, 'batchSize'), singleBatch: call.body.singleBatch === true }
  return call.server.cursors.open(`${call.database}.${collection}`, results, options)
}

const getMore: Command = ({ server, database, body }) => {
  const { getMore: id, collection } = body
  if (typeof id !== 'number' || typeof collection !== 'string') throw new CommandError('CursorNotFound', `cursor id ${id} not found`)
  return server.cursors.more(id, `${database}.${collection}`, countField(body, 'batchSize'))
}

const killCursors: Command = (call) => {
  const namespace = `${call.database}.${collectionName(call)}`
  const ids = Array.isArray(call.body.cursors) ? call.body.cursors : []
  const [killed, missing]: [unknown[], unknown[]] = [[], []]
  for (const id of ids) (call.server.cursors.kill(Number(id), namespace) ? killed : missing).push(id)
  return { cursorsKilled: killed, cursorsNotFound: missing, cursorsAlive: [], cursorsUnknown: [] }
}

/** Stages that only pass documents on: nothing that they give out can change a stored document. */
const PASSING = new Set(['$match', '$group', '$sort', '$limit', '$skip', '$count', '$sortByCount'])

const isPlainMatch = (stage: Doc | undefined): stage is { $match: Doc } => stage !== undefined && Object.keys(stage).join() === '$match'
const isPlainSort = (stage: Doc | undefined): stage is { $sort: Doc } => stage !== undefined && Object.keys(stage).join() === '$sort'

/** The filter and order at the head of a pipeline go to the indexes; the rest runs over what they select. */
function splitPipeline(pipeline: readonly Doc[]): { selection: Selection; rest: Doc[] } {
  const [first, ...others] = pipeline
  const filter = isPlainMatch(first) ? first.$match : {}
  const rest = isPlainMatch(first) ? others : [...pipeline]
  const next = rest[0]
  return isPlainSort(next) ? { selection: { filter, sort: next.$sort }, rest: rest.slice(1) } : { selection: { filter }, rest }
}

function stageName(stage: Doc): string {
  const [name = '', ...more] = Object.keys(stage)
  if (more.length > 0 || !name.startsWith('$')) throw new CommandError('BadValue', 'a pipeline stage has exactly one field')
  if (name === '$out' || name === '$merge') throw new CommandError('CommandNotSupported', `the embedded server does not support ${name}`)
  return name
}

function runPipeline(call: Call, collection: string | undefined): { results: Doc[]; execution: Execution } {
  const pipeline = documentsField(call.body, 'pipeline')
  const safe = pipeline.map(stageName).every((name) => PASSING.has(name))
  const { selection, rest } = collection === undefined ? { selection: undefined, rest: pipeline } : splitPipeline(pipeline)
  const { values, execution } = selection ? select(call, collection!, selection) : { values: [], execution: NOTHING }
  if (rest.length === 0) return { results: values, execution }
  const collectionResolver = (name: string): Doc[] => select(call, name, { filter: {} }).values.map(cloneValue)
  const aggregator = new Aggregator(rest, { ...mingoOptions, collectionResolver, variables: documentField(call.body, 'let') })
  return { results: aggregator.run<Doc>(safe ? values : values.map(cloneValue)), execution }
}

const aggregate: Command = (call) => {
  refuseOptions(call.body, ['collation'])
  const collection = call.body.aggregate === 1 ? undefined : collectionName(call)
  const { results } = runPipeline(call, collection)
  const batchSize = countField(documentField(call.body, 'cursor'), 'batchSize')
  return call.server.cursors.open(`${call.database}.${collection ?? '$cmd.aggregate'}`, results, { batchSize })
}

function selectForCount(call: Call): Selected {
  const { body } = call
  refuseOptions(body, ['collation'])
  const selection = { filter: documentField(body, 'query'), skip: countField(body, 'skip') ?? 0, limit: countField(body, 'limit') ?? 0 }
  return select(call, collectionName(call), selection)
}

const count: Command = (call) => ({ n: selectForCount(call).values.length })

const distinct: Command = (call) => {
  refuseOptions(call.body, ['collation'])
  const { key } = call.body
  if (typeof key !== 'string') throw new CommandError('TypeMismatch', 'key must be a string')
  const { values } = select(call, collectionName(call), { filter: documentField(call.body, 'query') })
  const found = values.flatMap((value) => candidatesAt(value, key)).filter((value) => value !== undefined && !Array.isArray(value))
  found.sort(compareValues)
  return { values: found.filter((value, i) => i === 0 || !equalValues(value, found[i - 1])) }
}

const EXPLAINED: { [name: string]: (call: Call) => Execution } = {
  find: (call) => selectForFind(call).selected.execution,
  count: (call) => selectForCount(call).execution,
  aggregate: (call) => runPipeline(call, collectionName(call)).execution,
}

/** Runs the query and says which index answered it, in the shape of MongoDB's `executionStats`. */
const explain: Command = (call) => {
  const body = documentField(call.body, 'explain')
  const [name = ''] = Object.keys(body)
  const execute = EXPLAINED[name]
  if (!execute) throw new CommandError('CommandNotSupported', `the embedded server does not explain ${name}`)
  const { scan, keysExamined, documentsExamined, returned } = execute({ ...call, name, body })
  const winningPlan = scan
    ? {
        stage: 'FETCH',
        inputStage: {
          stage: 'IXSCAN',
          indexName: scan.index.definition.name,
          keyPattern: scan.index.definition.key,
          direction: scan.backwards ? 'backward' : 'forward',
          sorted: scan.sorted,
        },
      }
    : { stage: 'COLLSCAN' }
  return {
    queryPlanner: { namespace: `${call.database}.${String(body[name])}`, winningPlan },
    executionStats: { executionSuccess: true, nReturned: returned, totalKeysExamined: keysExamined, totalDocsExamined: documentsExamined },
  }
}

export const readCommands: Commands = { find, getMore, killCursors, aggregate, count, distinct, explain }
