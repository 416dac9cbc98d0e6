import type { AnyBulkWriteOperation, Collection } from 'mongodb'
import { type Document, DocumentMissing, type GuardedWrite } from '../../domain/ports/documents.ts'
import { isOnlyDuplicateKeys } from './errors.ts'
import { foldWrites } from './fold-writes.ts'

/** A write with its position as it is stored: a number that is a safe integer. */
export type PositionedWrite = { position: number; write: GuardedWrite }

/** Other writers move the same documents only while one of them is being replaced; it does not take many rounds. */
const MAX_ROUNDS = 8

/** The writes that a document at `from` (undefined: not there) has not seen yet. */
type Move = { id: string; from: number | undefined; writes: readonly PositionedWrite[] }

/** Empty when the document has seen everything. @throws DocumentMissing */
function moveOf(collection: string, id: string, from: number | undefined, writes: readonly PositionedWrite[]): Move[] {
  if (from === undefined && !writes[0]!.write.create) throw new DocumentMissing(collection, id)
  const unseen = from === undefined ? writes : writes.filter(({ position }) => position > from)
  return unseen.length > 0 ? [{ id, from, writes: unseen }] : []
}

/** One update that takes effect only while the document is still at `from`. */
function operationFor({ id, from, writes }: Move): AnyBulkWriteOperation<Document> {
  const { set, increment, push } = foldWrites(writes.map(({ write }) => write))
  const update = {
    $set: { ...Object.fromEntries(set), position: writes.at(-1)!.position },
    ...(increment.size > 0 && { $inc: Object.fromEntries(increment) }),
    ...(push.size > 0 && { $push: Object.fromEntries([...push].map(([path, elements]) => [path, { $each: elements }])) }),
  }
  // A missing document has no position: the upsert inserts it, or collides with one inserted meanwhile.
  const filter = from === undefined ? { _id: id, position: { $exists: false } } : { _id: id, position: from }
  return { updateOne: { filter, update, upsert: from === undefined } } as AnyBulkWriteOperation<Document>
}

function groupById(writes: readonly PositionedWrite[]): ReadonlyMap<string, readonly PositionedWrite[]> {
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

/** What a round achieved: whether every move took place, and the error when some met a duplicate key. */
type Outcome = { complete: boolean; duplicate?: unknown }

async function execute(collection: Collection<Document>, moves: readonly Move[]): Promise<Outcome> {
  try {
    const { matchedCount, upsertedCount } = await collection.bulkWrite(moves.map(operationFor), { ordered: false })
    return { complete: matchedCount + upsertedCount === moves.length }
  } catch (error) {
    if (!isOnlyDuplicateKeys(error)) throw error
    return { complete: false, duplicate: error }
  }
}

/**
 * Applies writes to one collection, in rising order of position. Two round trips, however many writes a document gets: one reads where each
 * document is, one moves each from exactly there. What another writer moved in between is looked at again.
 * @throws DocumentMissing, and the driver's error when a unique index is broken
 */
export async function applyToCollection(collection: Collection<Document>, writes: readonly PositionedWrite[]): Promise<void> {
  let open = groupById(writes)
  let previous: readonly Move[] = []
  let duplicate: unknown
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const positions = await readPositions(collection, [...open.keys()])
    // Another writer's insertion would have left a document: a duplicate key after which everything is where it was is that of a unique index.
    if (duplicate && previous.every(({ id, from }) => positions.get(id) === from)) throw duplicate
    const moves = [...open].flatMap(([id, group]) => moveOf(collection.collectionName, id, positions.get(id), group))
    if (moves.length === 0) return
    const outcome = await execute(collection, moves)
    if (outcome.complete) return
    duplicate = outcome.duplicate
    previous = moves
    open = new Map(moves.map(({ id, writes }) => [id, writes]))
  }
  throw duplicate ?? new Error(`documents of ${collection.collectionName} keep being moved by another writer`)
}
