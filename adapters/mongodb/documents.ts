import type { Db, Filter } from 'mongodb'
import type { Document, Documents, Find, PositionedWrites } from '../../domain/ports/documents.ts'
import type { Json } from '../../domain/ports/event-log.ts'
import { createBatchedReads } from './batched-reads.ts'
import { whileAvailable } from './errors.ts'
import { applyToCollection, type LastPositions, type PositionedWrite } from './guarded-writes.ts'
import { toStored } from './positions.ts'

/** More than are written to at a time; those of builds that were replaced make room. */
const MAX_COLLECTIONS_REMEMBERED = 64

/** Values go in as values: an object with `$` in its keys is compared with, not run. */
function filterFor({ where, by, direction, beyond }: Find): Filter<Document> {
  const equalities: { [field: string]: Json }[] = Object.entries(where).map(([field, value]) => ({ [field]: { $eq: value } }))
  const conditions = beyond === undefined ? equalities : [...equalities, { [by]: { [direction === 'asc' ? '$gt' : '$lt']: beyond } }]
  return (conditions.length > 0 ? { $and: conditions } : {}) as Filter<Document>
}

/** @throws RangeError when positions do not rise */
function groupByCollection(batch: readonly PositionedWrites[]): Map<string, PositionedWrite[]> {
  const groups = new Map<string, PositionedWrite[]>()
  let last = -1
  for (const { position, writes } of batch) {
    const stored = toStored(position)
    if (stored < last) throw new RangeError(`position ${position} comes after ${last}`)
    last = stored
    for (const write of writes) {
      const group = groups.get(write.collection)
      if (group) group.push({ position: stored, write })
      else groups.set(write.collection, [{ position: stored, write }])
    }
  }
  return groups
}

/** The documents of a database. */
export function openDocuments(database: Db): Documents {
  const lastPositions = new Map<string, LastPositions>()
  const lastPositionsIn = (collection: string): LastPositions => {
    const last = lastPositions.get(collection) ?? new Map()
    lastPositions.delete(collection)
    lastPositions.set(collection, last)
    if (lastPositions.size > MAX_COLLECTIONS_REMEMBERED) lastPositions.delete(lastPositions.keys().next().value!)
    return last
  }
  const readOne = createBatchedReads((collection, ids) =>
    database
      .collection<Document>(collection)
      .find({ _id: { $in: [...ids] } }, { batchSize: ids.length + 1 })
      .toArray(),
  )

  return {
    get: (collection, id) => whileAvailable(() => readOne(collection, id)),

    find: (collection, find) =>
      whileAvailable(() =>
        database
          .collection<Document>(collection)
          .find(filterFor(find), { sort: { [find.by]: find.direction === 'asc' ? 1 : -1 }, limit: find.limit })
          .toArray(),
      ),

    apply: (batch) =>
      whileAvailable(async () => {
        const groups = [...groupByCollection(batch)]
        await Promise.all(
          groups.map(([name, writes]) => applyToCollection(database.collection<Document>(name), writes, lastPositionsIn(name))),
        )
      }),

    ensureIndexes: (specs) =>
      whileAvailable(async () => {
        for (const { collection, fields, unique } of specs)
          await database.collection(collection).createIndex(fields, { unique: unique ?? false })
      }),

    ping: () =>
      whileAvailable(async () => {
        await database.command({ ping: 1 })
      }),
  }
}
