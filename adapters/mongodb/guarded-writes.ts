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

function updateOf(writes: readonly PositionedWrite[]): object {
  const { set, increment, push } = foldWrites(writes.map(({ write }) => write))
  return {
    $set: { ...Object.fromEntries(set), position: writes.at(-1)!.position },
    ...(increment.size > 0 && { $inc: Object.fromEntries(increment) }),
    ...(push.size > 0 && { $push: Object.fromEntries([...push].map(([path, elements]) => [path, { $each: elements }])) }),
  }
}

type Operation = AnyBulkWriteOperation<Document>

/** Takes effect only on a document that has seen none of the writes; one that has seen some collides with the insertion. */
function hopefulOperation([id, writes]: readonly [string, readonly PositionedWrite[]]): Operation {
  const [{ position, write }] = writes as [PositionedWrite]
  return { updateOne: { filter: { _id: id, position: { $lt: position } }, update: updateOf(writes), upsert: write.create } } as Operation
}

/** Takes effect only while the document is still at `from`. */
function exactOperation({ id, from, writes }: Move): Operation {
  // A missing document has no position: the upsert inserts it, or collides with one inserted meanwhile.
  const filter = from === undefined ? { _id: id, position: { $exists: false } } : { _id: id, position: from }
  return { updateOne: { filter, update: updateOf(writes), upsert: from === undefined } } as Operation
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

/** What a round achieved: whether every operation took effect, and the error when some met a duplicate key. */
type Outcome = { complete: boolean; duplicate?: unknown }

async function execute(collection: Collection<Document>, operations: Operation[]): Promise<Outcome> {
  try {
    const { matchedCount, upsertedCount } = await collection.bulkWrite(operations, { ordered: false })
    return { complete: matchedCount + upsertedCount === operations.length }
  } catch (error) {
    if (!isOnlyDuplicateKeys(error)) throw error
    return { complete: false, duplicate: error }
  }
}

/**
 * Applies writes to one collection, in rising order of position. One round trip, however many writes a document gets, when none of them has been
 * seen. Where one has, or a document is missing, each round reads where the documents are and moves each from exactly there.
 * @throws DocumentMissing, and the driver's error when a unique index is broken
 */
export async function applyToCollection(collection: Collection<Document>, writes: readonly PositionedWrite[]): Promise<void> {
  let open = groupById(writes)
  if ((await execute(collection, [...open].map(hopefulOperation))).complete) return
  let previous: readonly Move[] = []
  let duplicate: unknown
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const positions = await readPositions(collection, [...open.keys()])
    // Another writer's insertion would have left a document: a duplicate key after which everything is where it was is that of a unique index.
    if (duplicate && previous.every(({ id, from }) => positions.get(id) === from)) throw duplicate
    const moves = [...open].flatMap(([id, group]) => moveOf(collection.collectionName, id, positions.get(id), group))
    if (moves.length === 0) return
    const outcome = await execute(collection, moves.map(exactOperation))
    if (outcome.complete) return
    duplicate = outcome.duplicate
    previous = moves
    open = new Map(moves.map(({ id, writes }) => [id, writes]))
  }
  throw duplicate ?? new Error(`documents of ${collection.collectionName} keep being moved by another writer`)
}
