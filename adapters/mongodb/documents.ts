import { type Db, type Filter, MongoClient } from 'mongodb'
import { CheckpointMoved, type Document, type Documents, type Find, type IndexSpec } from '../../domain/ports/documents.ts'
import type { Json } from '../../domain/ports/event-log.ts'
import { createBatchedReads } from './batched-reads.ts'
import { isDuplicateKey, whileAvailable } from './errors.ts'
import { applyToCollection, type LastPositions, type PositionedWrite } from './guarded-writes.ts'

type Checkpoint = { _id: string; position: number }

const CHECKPOINTS = 'checkpoints'

/** Nothing hangs: a server that cannot be found, or does not answer, is an error within these times. */
const LIMITS = {
  serverSelectionTimeoutMS: 2_000,
  connectTimeoutMS: 2_000,
  waitQueueTimeoutMS: 2_000,
  socketTimeoutMS: 5_000,
  maxPoolSize: 32,
}

/** Positions are numbers in documents, so that other tools can read and compare them; -1 is before all of them. @throws RangeError */
function toStored(position: bigint): number {
  const stored = Number(position)
  if (!Number.isSafeInteger(stored) || stored < -1) throw new RangeError(`position ${position} is not a safe integer`)
  return stored
}

/** Values go in as values: an object with `$` in its keys is compared with, not run. */
function filterFor({ where, by, direction, beyond }: Find): Filter<Document> {
  const equalities: { [field: string]: Json }[] = Object.entries(where).map(([field, value]) => ({ [field]: { $eq: value } }))
  const conditions = beyond === undefined ? equalities : [...equalities, { [by]: { [direction === 'asc' ? '$gt' : '$lt']: beyond } }]
  return (conditions.length > 0 ? { $and: conditions } : {}) as Filter<Document>
}

function groupByCollection(batch: Parameters<Documents['apply']>[0]): Map<string, PositionedWrite[]> {
  const groups = new Map<string, PositionedWrite[]>()
  let last = -1
  for (const { position, writes } of batch) {
    const stored = toStored(position)
    if (stored < last) throw new RangeError(`position ${position} comes after ${last}`)
    last = stored
    for (const write of writes) {
      const group = groups.get(write.collection) ?? []
      group.push({ position: stored, write })
      groups.set(write.collection, group)
    }
  }
  return groups
}

async function createIndexes(database: Db, specs: readonly IndexSpec[]): Promise<void> {
  for (const { collection, fields, unique } of specs) await database.collection(collection).createIndex(fields, { unique: unique ?? false })
}

async function moveCheckpoint(database: Db, projection: string, from: bigint | undefined, to: bigint): Promise<void> {
  const checkpoints = database.collection<Checkpoint>(CHECKPOINTS)
  const position = toStored(to)
  if (from === undefined) {
    await checkpoints.insertOne({ _id: projection, position }).catch((error: unknown) => {
      throw isDuplicateKey(error) ? new CheckpointMoved(`${projection} has a checkpoint already`) : error
    })
    return
  }
  const { matchedCount } = await checkpoints.updateOne({ _id: projection, position: toStored(from) }, { $set: { position } })
  if (matchedCount === 0) throw new CheckpointMoved(`the checkpoint of ${projection} is not at ${from}`)
}

/** Read models in a MongoDB database, through the official driver, which reconnects by itself. @throws Unavailable */
export async function connectDocuments(options: { url: string; database: string }): Promise<Documents> {
  const client = new MongoClient(options.url, { ...LIMITS, appName: 'quorate', ignoreUndefined: true })
  const database = client.db(options.database)
  const indexes: IndexSpec[] = []
  const lastPositions = new Map<string, LastPositions>()
  const lastPositionsIn = (collection: string): LastPositions => {
    const last = lastPositions.get(collection) ?? new Map()
    lastPositions.set(collection, last)
    return last
  }
  const readOne = createBatchedReads((collection, ids) =>
    database
      .collection<Document>(collection)
      .find({ _id: { $in: [...ids] } }, { batchSize: ids.length + 1 })
      .toArray(),
  )

  const documents: Documents = {
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

    async ensureIndexes(specs) {
      await whileAvailable(() => createIndexes(database, specs))
      indexes.push(...specs)
    },

    readCheckpoint: (projection) =>
      whileAvailable(async () => {
        const checkpoint = await database.collection<Checkpoint>(CHECKPOINTS).findOne({ _id: projection })
        return checkpoint ? BigInt(checkpoint.position) : undefined
      }),

    moveCheckpoint: (projection, from, to) => whileAvailable(() => moveCheckpoint(database, projection, from, to)),

    drop: (projection, collections) =>
      whileAvailable(async () => {
        // The checkpoint goes first: one that is ahead of its documents would lose them, one that is missing only repeats work.
        await database.collection<Checkpoint>(CHECKPOINTS).deleteOne({ _id: projection })
        for (const name of collections) await database.collection(name).drop()
        await createIndexes(
          database,
          indexes.filter(({ collection }) => collections.includes(collection)),
        )
      }),

    ping: () =>
      whileAvailable(async () => {
        await database.command({ ping: 1 })
      }),

    close: () => client.close(),
  }

  try {
    await documents.ping()
  } catch (error) {
    await client.close()
    throw error
  }
  return documents
}
