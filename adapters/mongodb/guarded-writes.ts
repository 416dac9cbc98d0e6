import type { AnyBulkWriteOperation, Collection } from 'mongodb'
import { type Document, DocumentMissing, type GuardedWrite, WriteRefused } from '../../domain/ports/documents.ts'
import { Unavailable } from '../../domain/ports/event-log.ts'
import { isOnlyDuplicateKeys, refusalOf } from './errors.ts'
import { type FoldedUpdate, foldWrites } from './fold-writes.ts'

/** A write with its position as it is stored: a number that is a safe integer. */
export type PositionedWrite = { position: number; write: GuardedWrite }

/** Where this writer left the documents that it moved last, by id: a guess that saves asking, and is checked by the write itself. */
export type LastPositions = Map<string, number>
const MAX_REMEMBERED = 10_000

/** Other writers move the same documents only while one of them is being replaced; it does not take many rounds. */
const MAX_ROUNDS = 8

/** In rising order of position, and none without. */
type WritesById = ReadonlyMap<string, readonly PositionedWrite[]>

/** The writes that a document at `from` (undefined: not there) has not seen yet. */
type Move = { id: string; from: number | undefined; writes: readonly PositionedWrite[] }

/** Those of documents that have not seen everything. @throws DocumentMissing */
function movesOf(collection: string, groups: WritesById, positions: ReadonlyMap<string, number>): Move[] {
  const moves: Move[] = []
  for (const [id, writes] of groups) {
    const from = positions.get(id)
    if (from === undefined && !writes[0]!.write.create) throw new DocumentMissing(collection, id)
    const unseen = from === undefined || writes[0]!.position > from ? writes : writes.filter(({ position }) => position > from)
    if (unseen.length > 0) moves.push({ id, from, writes: unseen })
  }
  return moves
}

/** What MongoDB takes as the name of a field in an update is one in an insertion, too, when it has nothing of a path or an operator. */
const isPlain = (field: string) => field !== '_id' && field !== '__proto__' && !field.includes('.') && !field.includes('$')

/**
 * The document that an update makes of nothing; undefined when it takes the server to make it. Not there, it is inserted; there, it collides.
 * `_id` comes first: a server would have to move it there.
 */
function insertionFor(id: string, position: number, { set, increment, push }: FoldedUpdate): Document | undefined {
  const document: Document = { _id: id }
  for (const fields of [set, increment, push]) {
    for (const [field, value] of fields) {
      if (!isPlain(field)) return undefined
      document[field] = value
    }
  }
  document.position = position
  return document
}

/** One operation that takes effect only while the document is still at `from`. @throws WriteRefused */
function operationFor(collection: string, { id, from, writes }: Move): AnyBulkWriteOperation<Document> {
  const folded = fold(collection, writes)
  const { set, increment, push } = folded
  const position = writes.at(-1)!.position
  const document = from === undefined ? insertionFor(id, position, folded) : undefined
  if (document) return { insertOne: { document } } as AnyBulkWriteOperation<Document>
  set.set('position', position)
  // The driver takes a map for a document, although its types do not say so.
  const update = {
    $set: set as unknown as Partial<Document>,
    ...(increment.size > 0 && { $inc: Object.fromEntries(increment) }),
    ...(push.size > 0 && { $push: Object.fromEntries([...push].map(([path, elements]) => [path, { $each: elements }])) }),
  }
  // A missing document has no position: the upsert inserts it, or collides with one inserted meanwhile.
  const filter = from === undefined ? { _id: id, position: { $exists: false } } : { _id: id, position: from }
  return { updateOne: { filter, update, upsert: from === undefined } } as AnyBulkWriteOperation<Document>
}

function fold(collection: string, writes: readonly PositionedWrite[]): FoldedUpdate {
  try {
    return writes.length === 1 ? foldWrites([writes[0]!.write]) : foldWrites(writes.map(({ write }) => write))
  } catch (error) {
    throw new WriteRefused(collection, (error as Error).name, { cause: error })
  }
}

function groupById(writes: readonly PositionedWrite[]): WritesById {
  const groups = new Map<string, PositionedWrite[]>()
  for (const each of writes) {
    const group = groups.get(each.write.id)
    if (group) group.push(each)
    else groups.set(each.write.id, [each])
  }
  return groups
}

async function readPositions(collection: Collection<Document>, ids: readonly string[]): Promise<Map<string, number>> {
  const found = await collection.find({ _id: { $in: [...ids] } }, { projection: { position: 1 }, batchSize: ids.length + 1 }).toArray()
  return new Map(found.map(({ _id, position }) => [_id, position as number]))
}

/** Where documents are, as far as that is remembered; of those that are not, and are not about to be made, it is read. */
async function guessPositions(
  collection: Collection<Document>,
  last: LastPositions,
  groups: WritesById,
): Promise<ReadonlyMap<string, number>> {
  const unknown: string[] = []
  for (const [id, writes] of groups) if (!writes[0]!.write.create && !last.has(id)) unknown.push(id)
  if (unknown.length === 0) return last
  const read = await readPositions(collection, unknown)
  for (const id of groups.keys()) if (last.has(id)) read.set(id, last.get(id)!)
  return read
}

/** Those moved last are at the end. */
function remember(last: LastPositions, moves: readonly Move[]): void {
  for (const { id, writes } of moves) {
    last.delete(id)
    last.set(id, writes.at(-1)!.position)
  }
  for (const id of last.keys()) {
    if (last.size <= MAX_REMEMBERED) return
    last.delete(id)
  }
}

/** What a round achieved: whether every move took place, and the error when some met a duplicate key. */
type Outcome = { complete: boolean; duplicate?: unknown }

async function execute(collection: Collection<Document>, moves: readonly Move[]): Promise<Outcome> {
  const operations = moves.map((move) => operationFor(collection.collectionName, move))
  try {
    const { matchedCount, upsertedCount, insertedCount } = await collection.bulkWrite(operations, { ordered: false })
    return { complete: matchedCount + upsertedCount + insertedCount === moves.length }
  } catch (error) {
    if (isOnlyDuplicateKeys(error)) return { complete: false, duplicate: error }
    const refusal = refusalOf(error)
    throw refusal === undefined ? error : new WriteRefused(collection.collectionName, refusal, { cause: error })
  }
}

/** Whether all took effect on documents that are where they were left, or not there yet. What is taken to have been seen already is not trusted. */
async function applyByGuess(collection: Collection<Document>, groups: WritesById, last: LastPositions): Promise<boolean> {
  const moves = movesOf(collection.collectionName, groups, await guessPositions(collection, last, groups))
  if (moves.length < groups.size || !(await execute(collection, moves)).complete) return false
  remember(last, moves)
  return true
}

/**
 * Applies writes to one collection, in rising order of position, however many a document gets: each document is moved from exactly where it is.
 * That is guessed first, mostly in one round trip, and read where the guess was wrong, as after a repetition or when another writer is at work.
 * @throws DocumentMissing, WriteRefused, Unavailable, and the driver's own errors
 */
export async function applyToCollection(
  collection: Collection<Document>,
  writes: readonly PositionedWrite[],
  last: LastPositions,
): Promise<void> {
  let open = groupById(writes)
  if (await applyByGuess(collection, open, last)) return
  let previous: readonly Move[] = []
  let duplicate: unknown
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const positions = await readPositions(collection, [...open.keys()])
    // Another writer's insertion would have left a document: a duplicate key after which everything is where it was is that of a unique index.
    if (duplicate && previous.every(({ id, from }) => positions.get(id) === from)) throw brokenIndex(collection, duplicate)
    const moves = movesOf(collection.collectionName, open, positions)
    if (moves.length === 0) return
    const outcome = await execute(collection, moves)
    if (outcome.complete) return remember(last, moves)
    duplicate = outcome.duplicate
    previous = moves
    open = new Map(moves.map(({ id, writes }) => [id, writes]))
  }
  throw new Unavailable('mongodb', {
    cause: duplicate ?? new Error(`documents of ${collection.collectionName} keep being moved by others`),
  })
}

const brokenIndex = (collection: Collection<Document>, cause: unknown) =>
  new WriteRefused(collection.collectionName, 'duplicate_key', { cause })
