import { Aggregator } from 'mingo/aggregator'
import { Lazy } from 'mingo/lazy'
import * as accumulators from 'mingo/operators/accumulator'
import * as stages from 'mingo/operators/pipeline'
import { Query } from 'mingo/query'
import { decodeDocument } from '../bson/decode.ts'
import { encodeDocument } from '../bson/encode.ts'
import { type Doc, isDocument } from '../document.ts'
import { CommandError } from '../errors.ts'
import { type Fields, fieldsOfExpression, fieldsOfPaths, NO_FIELDS } from '../query/fields.ts'
import { mingoOptions } from '../query/match.ts'
import { elementsAt } from '../query/paths.ts'
import { ASCENDING, sortKey } from '../query/sort-key.ts'
import { withinTime } from '../query/time-limit.ts'
import type { Collection, Execution, Selection } from '../store/collection.ts'
import type { RecordId } from '../store/records.ts'
import {
  booleanField,
  type Call,
  type Command,
  type Commands,
  collectionName,
  countField,
  documentField,
  documentsField,
  refuseOptions,
  timeLimit,
} from './command.ts'

const NOTHING: Execution = { scan: undefined, keysExamined: 0, documentsExamined: 0, returned: 0 }

type Selected = { stored: Collection | undefined; ids: RecordId[]; execution: Execution }

function select({ server, database, body }: Call, collection: string, selection: Selection): Selected {
  const stored = server.databases.find(database, collection)
  return stored ? { stored, ...stored.select({ ...selection, limitMs: timeLimit(body) }) } : { stored, ids: [], execution: NOTHING }
}

/** What a pipeline may hold of documents, in bytes of BSON: decoded they take several times as much. */
const MAX_PIPELINE_BYTES = 100 * 1024 * 1024
const BYTES_OF_SOME_FIELDS = 100

/** As they are now, decoded one by one. */
function* decoded({ stored, ids }: Selected, fields?: Fields): Generator<Doc> {
  for (const bytes of stored?.snapshot(ids) ?? []) yield decodeDocument(bytes, 0, bytes.length, fields)
}

/** The same for stages that hold on to all of them. @throws QueryExceededMemoryLimitNoDiskUseAllowed */
function* held({ stored, ids }: Selected, fields?: Fields): Generator<Doc> {
  let total = 0
  for (const bytes of stored?.snapshot(ids) ?? []) {
    total += fields === undefined ? bytes.length : Math.min(bytes.length, BYTES_OF_SOME_FIELDS)
    if (total > MAX_PIPELINE_BYTES)
      throw new CommandError(
        'QueryExceededMemoryLimitNoDiskUseAllowed',
        `a pipeline takes at most ${MAX_PIPELINE_BYTES} bytes of documents`,
      )
    yield decodeDocument(bytes, 0, bytes.length, fields)
  }
}

function* encoded(documents: Iterable<Doc>): Generator<Uint8Array> {
  for (const document of documents) yield encodeDocument(document)
}

/** Lazily, so that only what is fetched is projected. */
export function* project(documents: Iterable<Doc>, projection: Doc, filter: Doc): Generator<Doc> {
  const positional = Object.keys(projection).some((path) => path.endsWith('.$'))
  const cursor = new Query(positional ? filter : {}, mingoOptions).find<Doc>(Lazy(documents), projection)
  while (cursor.hasNext()) yield cursor.next()!
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
  const projection = documentField(call.body, 'projection')
  const results =
    Object.keys(projection).length === 0
      ? (selected.stored?.snapshot(selected.ids) ?? [])
      : encoded(project(decoded(selected), projection, filter))
  const options = { batchSize: countField(call.body, 'batchSize'), singleBatch: booleanField(call.body, 'singleBatch') }
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

/** What a pipeline needs of the documents that it begins with, as far as its first stage tells. */
function fieldsOfStage(stage: Doc | undefined): Fields {
  if (stage?.$count !== undefined) return NO_FIELDS
  return stage?.$group === undefined ? undefined : fieldsOfExpression(stage.$group)
}

const STAGES = new Set(Object.keys(stages))

const ACCUMULATORS = new Set(Object.keys(accumulators))

function checkGroup(fields: unknown): void {
  if (!isDocument(fields)) throw new CommandError('Location15947', "a group's fields must be specified in an object")
  for (const [field, accumulator] of Object.entries(fields)) {
    if (field === '_id') continue
    const [name = ''] = isDocument(accumulator) ? Object.keys(accumulator) : []
    if (!ACCUMULATORS.has(name)) throw new CommandError('Location15952', `unknown group operator '${name}'`)
  }
}

function checkStage(stage: Doc): void {
  const [name = '', ...more] = Object.keys(stage)
  if (name === '' || more.length > 0)
    throw new CommandError('Location40323', 'A pipeline stage specification object must contain exactly one field.')
  if (!STAGES.has(name)) throw new CommandError('Location40324', `Unrecognized pipeline stage name: '${name}'`)
  if (name === '$group') checkGroup(stage.$group)
  if (name === '$out' || name === '$merge') throw new CommandError('CommandNotSupported', `the embedded server does not support ${name}`)
}

function runPipeline(call: Call, collection: string | undefined): { results: Iterable<Uint8Array>; execution: Execution } {
  const pipeline = documentsField(call.body, 'pipeline')
  const variables = documentField(call.body, 'let')
  for (const stage of pipeline) checkStage(stage)
  const { selection, rest } = collection === undefined ? { selection: undefined, rest: pipeline } : splitPipeline(pipeline)
  const selected = selection ? select(call, collection!, selection) : { stored: undefined, ids: [], execution: NOTHING }
  if (rest.length === 0) return { results: selected.stored?.snapshot(selected.ids) ?? [], execution: selected.execution }
  const collectionResolver = (name: string): Doc[] => [...held(select(call, name, { filter: {} }))]
  const aggregator = new Aggregator(rest, { ...mingoOptions, collectionResolver, variables })
  const results = withinTime(() => aggregator.run<Doc>(Lazy(held(selected, fieldsOfStage(rest[0])))), timeLimit(call.body))
  return { results: encoded(results), execution: selected.execution }
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

const count: Command = (call) => ({ n: selectForCount(call).ids.length })

const distinct: Command = (call) => {
  refuseOptions(call.body, ['collation'])
  const { key } = call.body
  if (typeof key !== 'string') throw new CommandError('TypeMismatch', 'key must be a string')
  const selected = select(call, collectionName(call), { filter: documentField(call.body, 'query') })
  const values = new Map<string, unknown>()
  for (const document of decoded(selected, fieldsOfPaths([key])))
    for (const value of elementsAt(document, key)) values.set(sortKey([value], ASCENDING), value)
  return { values: [...values].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value) }
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
