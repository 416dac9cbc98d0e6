import type { Doc } from '../document.ts'
import { isDocument } from '../document.ts'
import { CommandError } from '../errors.ts'
import type { Collection } from '../store/collection.ts'
import { compileUpdate, isReplacement } from '../update/update.ts'
import { type Call, type Command, type Commands, collectionName, documentField, documentsField, refuseOptions } from './command.ts'
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
function runBatch<Statement>(body: Doc, statements: readonly Statement[], run: (statement: Statement) => Outcome): Doc {
  if (statements.length < 1 || statements.length > MAX_WRITE_BATCH)
    throw new CommandError(
      'InvalidLength',
      `write batch sizes must be between 1 and ${MAX_WRITE_BATCH}, got ${statements.length} operations`,
    )
  const total = { n: 0, nModified: 0, upserted: [] as Doc[], writeErrors: [] as Doc[] }
  for (const [index, statement] of statements.entries()) {
    try {
      const { n, nModified = 0, upserted } = run(statement)
      total.n += n
      total.nModified += nModified
      if (upserted !== undefined) total.upserted.push({ index, _id: upserted })
    } catch (error) {
      total.writeErrors.push(writeError(index, error))
      if (body.ordered !== false) break
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
  const insertOne = (document: Doc): Outcome => {
    collection.insert(document)
    return { n: 1 }
  }
  return batchReply(runBatch(call.body, documentsField(call.body, 'documents'), insertOne), false)
}

function updateStatement(collection: Collection, statement: Doc): Outcome {
  refuseOptions(statement, ['collation'])
  const filter = documentField(statement, 'q')
  const multi = statement.multi === true
  if (multi && isReplacement(statement.u))
    throw new CommandError('FailedToParse', 'multi update is not supported for replacement-style update')
  const update = compileUpdate(filter, statement.u, documentsField(statement, 'arrayFilters'))
  const { documents } = collection.select({ filter, sort: documentField(statement, 'sort'), limit: multi ? 0 : 1 })
  if (documents.length === 0 && statement.upsert === true) return { n: 1, upserted: collection.insert(update.insertion())._id }
  let nModified = 0
  for (const stored of documents) {
    const next = update.apply(stored.value)
    if (!next) continue
    collection.replace(stored, next)
    nModified++
  }
  return { n: documents.length, nModified }
}

const update: Command = (call) => {
  const collection = openCollection(call)
  return batchReply(
    runBatch(call.body, documentsField(call.body, 'updates'), (statement) => updateStatement(collection, statement)),
    true,
  )
}

function deleteStatement(collection: Collection, statement: Doc): Outcome {
  refuseOptions(statement, ['collation'])
  if (statement.limit !== 0 && statement.limit !== 1) throw new CommandError('FailedToParse', 'the limit of a delete must be 0 or 1')
  const { documents } = collection.select({ filter: documentField(statement, 'q'), limit: statement.limit })
  for (const stored of documents) collection.remove(stored)
  return { n: documents.length }
}

const remove: Command = (call) => {
  const collection = openCollection(call)
  return batchReply(
    runBatch(call.body, documentsField(call.body, 'deletes'), (statement) => deleteStatement(collection, statement)),
    false,
  )
}

type Modified = { value: Doc | null; lastErrorObject: Doc }

/** Removes, updates or inserts at most one document, and answers with it as it was or (`new`) as it is. */
function modifyOne(collection: Collection, body: Doc): Modified {
  const filter = documentField(body, 'query')
  const [stored] = collection.select({ filter, sort: documentField(body, 'sort'), limit: 1 }).documents
  const before = stored?.value ?? null
  if (body.remove === true) {
    if (stored) collection.remove(stored)
    return { value: before, lastErrorObject: { n: stored ? 1 : 0 } }
  }
  const change = compileUpdate(filter, body.update, documentsField(body, 'arrayFilters'))
  if (stored) {
    const next = change.apply(stored.value)
    if (next) collection.replace(stored, next)
    return { value: body.new === true ? stored.value : before, lastErrorObject: { n: 1, updatedExisting: true } }
  }
  if (body.upsert !== true) return { value: null, lastErrorObject: { n: 0, updatedExisting: false } }
  const inserted = collection.insert(change.insertion())
  return { value: body.new === true ? inserted : null, lastErrorObject: { n: 1, updatedExisting: false, upserted: inserted._id } }
}

const findAndModify: Command = (call) => {
  const { body } = call
  refuseOptions(body, ['collation'])
  if ((body.remove === true) === (body.update !== undefined))
    throw new CommandError('FailedToParse', 'either update or remove must be given')
  const { value, lastErrorObject } = modifyOne(openCollection(call), body)
  const [projected] = value ? project([value], isDocument(body.fields) ? body.fields : {}, documentField(body, 'query')) : []
  return { lastErrorObject, value: projected ?? null }
}

export const writeCommands: Commands = { insert, update, delete: remove, findAndModify, findandmodify: findAndModify }
