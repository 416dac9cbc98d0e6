import { checkDocument } from '../bson/decode.ts'
import type { Doc } from '../document.ts'
import { CommandError } from '../errors.ts'
import { isCostly, withinTime } from '../query/time-limit.ts'
import type { Collection } from '../store/collection.ts'
import { compileUpdate, isReplacement, type Update } from '../update/update.ts'
import {
  booleanField,
  type Call,
  type Command,
  type Commands,
  collectionName,
  documentField,
  documentsField,
  refuseOptions,
  statements,
  timeLimit,
} from './command.ts'
import { project } from './read.ts'

export const MAX_WRITE_BATCH = 100_000

type Outcome = { n: number; nModified?: number; upserted?: unknown }

function openCollection(call: Call): Collection {
  return call.server.databases.open(call.database, collectionName(call))
}

function writeError(index: number, error: unknown): Doc {
  const known = error instanceof CommandError ? error : new CommandError('BadValue', error instanceof Error ? error.message : String(error))
  return { index, code: known.code, ...known.details, errmsg: known.message }
}

/** Runs each statement; an ordered batch stops at the first that fails, an unordered one goes on. */
function runBatch<Statement>(body: Doc, statements: readonly Statement[], run: (statement: Statement, index: number) => Outcome): Doc {
  if (statements.length < 1 || statements.length > MAX_WRITE_BATCH)
    throw new CommandError(
      'InvalidLength',
      `write batch sizes must be between 1 and ${MAX_WRITE_BATCH}, got ${statements.length} operations`,
    )
  const ordered = body.ordered === undefined || booleanField(body, 'ordered')
  const total = { n: 0, nModified: 0, upserted: [] as Doc[], writeErrors: [] as Doc[] }
  for (const [index, statement] of statements.entries()) {
    try {
      const { n, nModified = 0, upserted } = run(statement, index)
      total.n += n
      total.nModified += nModified
      if (upserted !== undefined) total.upserted.push({ index, _id: upserted })
    } catch (error) {
      total.writeErrors.push(writeError(index, error))
      if (ordered) break
    }
  }
  return total
}

/** Empty lists are left out, as MongoDB does. */
function batchReply({ n, nModified, upserted, writeErrors }: Doc, isUpdate: boolean): Doc {
  const some = (list: unknown): boolean => Array.isArray(list) && list.length > 0
  return { n, ...(isUpdate && { nModified }), ...(some(upserted) && { upserted }), ...(some(writeErrors) && { writeErrors }) }
}

const insert: Command = (call) => {
  const collection = openCollection(call)
  const encoded = call.sequences.get('documents')
  if (!encoded) {
    const documents = documentsField(call.body, 'documents')
    return batchReply(
      runBatch(call.body, documents, (document) => inserted(collection.insert(document))),
      false,
    )
  }
  for (const document of encoded) checkDocument(document)
  return batchReply(
    runBatch(call.body, encoded, (document) => inserted(collection.insertEncoded(document))),
    false,
  )
}

const inserted = (_id: unknown): Outcome => ({ n: 1 })

/** The update of a statement, which is stopped when what it computes takes too long. */
function updateOf(filter: Doc, change: unknown, arrayFilters: readonly Doc[], limitMs: number): Update {
  const { apply, insertion } = compileUpdate(filter, change, arrayFilters)
  if (!Array.isArray(change) && !isCostly([change, arrayFilters, filter])) return { apply, insertion }
  return { apply: (document) => withinTime(() => apply(document), limitMs), insertion: () => withinTime(insertion, limitMs) }
}

function updateStatement(collection: Collection, statement: Doc, limitMs: number): Outcome {
  refuseOptions(statement, ['collation'])
  const filter = documentField(statement, 'q')
  const multi = booleanField(statement, 'multi')
  const upsert = booleanField(statement, 'upsert')
  if (multi && isReplacement(statement.u))
    throw new CommandError('FailedToParse', 'multi update is not supported for replacement-style update')
  const update = updateOf(filter, statement.u, documentsField(statement, 'arrayFilters'), limitMs)
  const { ids } = collection.select({ filter, sort: documentField(statement, 'sort'), limit: multi ? 0 : 1, limitMs })
  if (ids.length === 0 && upsert) return { n: 1, upserted: collection.insert(update.insertion()) }
  let nModified = 0
  for (const id of ids) {
    const next = update.apply(collection.read(id))
    if (!next) continue
    collection.replace(id, next)
    nModified++
  }
  return { n: ids.length, nModified }
}

const update: Command = (call) => {
  const collection = openCollection(call)
  const limitMs = timeLimit(call.body)
  return batchReply(
    runBatch(call.body, statements(call, 'updates'), (statement) => updateStatement(collection, statement, limitMs)),
    true,
  )
}

function deleteStatement(collection: Collection, statement: Doc, limitMs: number): Outcome {
  refuseOptions(statement, ['collation'])
  if (statement.limit !== 0 && statement.limit !== 1) throw new CommandError('FailedToParse', 'the limit of a delete must be 0 or 1')
  const { ids } = collection.select({ filter: documentField(statement, 'q'), limit: statement.limit, limitMs })
  for (const id of ids) collection.remove(id)
  return { n: ids.length }
}

const remove: Command = (call) => {
  const collection = openCollection(call)
  const limitMs = timeLimit(call.body)
  return batchReply(
    runBatch(call.body, statements(call, 'deletes'), (statement) => deleteStatement(collection, statement, limitMs)),
    false,
  )
}

type Modified = { value: Doc | null; lastErrorObject: Doc }

/** Removes, updates or inserts at most one document, and answers with it as it was or (`new`) as it is. */
function modifyOne(collection: Collection, body: Doc): Modified {
  const filter = documentField(body, 'query')
  const [upsert, returnsNew, limitMs] = [booleanField(body, 'upsert'), booleanField(body, 'new'), timeLimit(body)]
  const [id] = collection.select({ filter, sort: documentField(body, 'sort'), limit: 1, limitMs }).ids
  const before = id === undefined ? null : collection.read(id)
  if (booleanField(body, 'remove')) {
    if (id !== undefined) collection.remove(id)
    return { value: before, lastErrorObject: { n: id === undefined ? 0 : 1 } }
  }
  const change = updateOf(filter, body.update, documentsField(body, 'arrayFilters'), limitMs)
  if (id !== undefined) {
    const next = change.apply(collection.read(id))
    if (next) collection.replace(id, next)
    return { value: returnsNew ? collection.read(id) : before, lastErrorObject: { n: 1, updatedExisting: true } }
  }
  if (!upsert) return { value: null, lastErrorObject: { n: 0, updatedExisting: false } }
  const inserted = change.insertion()
  const upserted = collection.insert(inserted)
  return { value: returnsNew ? { _id: upserted, ...inserted } : null, lastErrorObject: { n: 1, updatedExisting: false, upserted } }
}

const findAndModify: Command = (call) => {
  const { body } = call
  refuseOptions(body, ['collation'])
  if (booleanField(body, 'remove') === (body.update !== undefined))
    throw new CommandError('FailedToParse', 'either update or remove must be given')
  const fields = documentField(body, 'fields')
  const { value, lastErrorObject } = modifyOne(openCollection(call), body)
  const [projected] = value ? project([value], fields, documentField(body, 'query')) : []
  return { lastErrorObject, value: projected ?? null }
}

export const writeCommands: Commands = { insert, update, delete: remove, findAndModify, findandmodify: findAndModify }
