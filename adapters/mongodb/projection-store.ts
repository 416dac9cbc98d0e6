import { createHash, randomUUID } from 'node:crypto'
import type { Collection, Db, Filter, UpdateFilter } from 'mongodb'
import { Unavailable } from '../../domain/ports/event-log.ts'
import {
  type Build,
  BuildGone,
  type BuildState,
  type Builds,
  BuildUnderWay,
  type ParkedEvent,
  type ProjectionStore,
} from '../../domain/ports/projections.ts'
import { createBatchedReads } from './batched-reads.ts'
import { isDuplicateKey, whileAvailable } from './errors.ts'
import { toStored } from './positions.ts'

/** Numbers are those of the port's bigints. `heldThrough` is the last revision of the stream that a checkpoint has passed over. */
type Parked = Omit<ParkedEvent, 'build' | 'projection' | 'held'> & { at: number; heldThrough: number }

type Made = {
  version: number
  startedAt: string
  /** By partition. */
  positions: { [partition: string]: number }
  events: { [partition: string]: number }
  parkings: number
  /** By the hash of the stream's name, because a name may contain anything. */
  parked: { [stream: string]: Parked }
}

/**
 * Everything that must change together about the builds of a projection is one document: which one is read from, how far each is, and what is
 * parked. So a crash leaves no half of a change, and a store that lost its data says so to everybody at once.
 */
type Entry = { _id: string; active: string | null; building: string | null; made: { [build: string]: Made } }

const COLLECTION = 'builds'

/** Others change the same entry only now and then; it does not take many rounds. */
const MAX_ROUNDS = 8

const buildOf = (projection: string, id: string, { version, startedAt }: Made): Build => ({ id, projection, version, startedAt })

function named(entry: Entry | undefined, id: string | null | undefined): Build | undefined {
  const made = typeof id === 'string' ? entry?.made[id] : undefined
  return entry && made && buildOf(entry._id, id as string, made)
}

const keyOf = (stream: string) => createHash('sha256').update(stream).digest('hex').slice(0, 32)

const pathOf = ({ build, stream }: Pick<ParkedEvent, 'build' | 'stream'>) => `made.${build}.parked.${keyOf(stream)}`

function storedFields({ build: _, projection: __, held: ___, ...fields }: ParkedEvent): Omit<Parked, 'heldThrough'> {
  return { ...fields, at: toStored(BigInt(fields.revision)) }
}

function stateOf(build: Build, made: Made): BuildState {
  const parked = Object.values(made.parked).map(({ at, heldThrough, ...fields }) => ({
    build: build.id,
    projection: build.projection,
    ...fields,
    held: heldThrough - at,
  }))
  return {
    checkpoints: new Map(
      Object.entries(made.positions).map(([partition, position]) => [
        Number(partition),
        { position: BigInt(position), events: made.events[partition] ?? 0 },
      ]),
    ),
    parked: parked.sort((a, b) => Number(BigInt(a.position) - BigInt(b.position))),
    parkings: made.parkings,
  }
}

/** Builds, checkpoints and parked events of every projection, in one small collection. */
export function openProjectionStore(database: Db): ProjectionStore {
  const entries: Collection<Entry> = database.collection<Entry>(COLLECTION)
  // A worker looks at all projections in one turn.
  const readEntry = createBatchedReads<Entry>((_, ids) => entries.find({ _id: { $in: [...ids] } }, { batchSize: ids.length + 1 }).toArray())
  const read = (projection: string) => readEntry(COLLECTION, projection)

  /** Whether the entry was as the filter says. */
  async function change(projection: string, filter: { [path: string]: unknown }, update: object): Promise<boolean> {
    const { matchedCount } = await entries.updateOne({ _id: projection, ...filter } as Filter<Entry>, update as UpdateFilter<Entry>)
    return matchedCount === 1
  }

  /** @throws BuildGone */
  async function madeOf({ projection, id }: Pick<Build, 'projection' | 'id'>): Promise<Made> {
    const made = (await read(projection))?.made[id]
    if (!made) throw new BuildGone(id)
    return made
  }

  /** Until the attempt, made on the entry as it is, is not overtaken by another. */
  async function settle<T>(projection: string, attempt: (entry: Entry | undefined) => Promise<T | undefined>): Promise<T> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const outcome = await attempt(await read(projection))
      if (outcome !== undefined) return outcome
    }
    throw new Unavailable('mongodb', { cause: new Error(`the builds of ${projection} keep being changed by others`) })
  }

  async function insert(entry: Entry): Promise<boolean> {
    try {
      await entries.insertOne(entry)
      return true
    } catch (error) {
      if (isDuplicateKey(error)) return false
      throw error
    }
  }

  const store: ProjectionStore = {
    async builds(projection): Promise<Builds> {
      const entry = await read(projection)
      return { active: named(entry, entry?.active), building: named(entry, entry?.building) }
    },

    begin: (projection, version) =>
      settle(projection, async (entry) => {
        const underWay = named(entry, entry?.building)
        if (underWay && underWay.version >= version) throw new BuildUnderWay(underWay)
        const id = `v${version}-${randomUUID().slice(0, 8)}`
        const made: Made = { version, startedAt: new Date().toISOString(), positions: {}, events: {}, parkings: 0, parked: {} }
        const begun = entry
          ? await change(
              projection,
              { building: entry.building },
              {
                $set: { building: id, [`made.${id}`]: made },
                ...(underWay && { $unset: { [`made.${underWay.id}`]: '' } }),
              },
            )
          : await insert({ _id: projection, active: null, building: id, made: { [id]: made } })
        return begun ? buildOf(projection, id, made) : undefined
      }),

    activate: ({ projection, id }) =>
      settle(projection, async (entry) => {
        if (entry?.active === id) return true
        if (entry?.building !== id) throw new BuildGone(id)
        const update = { $set: { active: id, building: null }, ...(entry.active && { $unset: { [`made.${entry.active}`]: '' } }) }
        return (await change(projection, { building: id, active: entry.active }, update)) || undefined
      }).then(() => {}),

    async dropRetired(projection, collections) {
      // Listed before it is asked which ones are in use: what a build makes that begins in between is not on the list.
      const listed = await database.listCollections({}, { nameOnly: true }).toArray()
      const { active, building } = await store.builds(projection)
      const used = new Set([active?.id, building?.id])
      for (const { name } of listed) {
        const build = collections.flatMap((collection) => (name.startsWith(`${collection}.`) ? [name.slice(collection.length + 1)] : []))[0]
        if (build !== undefined && !used.has(build)) await database.collection(name).drop()
      }
    },

    state: async (build) => stateOf(build, await madeOf(build)),

    checkpoints: async (build) => (await store.state(build)).checkpoints,

    async advance(build, { checkpoints, held, parkings }) {
      const made = `made.${build.id}`
      const raised = Object.fromEntries([
        ...[...checkpoints].flatMap(([partition, { position, events }]) => [
          [`${made}.positions.${partition}`, toStored(position)],
          [`${made}.events.${partition}`, events],
        ]),
        ...[...held].map(([stream, revision]) => [`${pathOf({ build: build.id, stream })}.heldThrough`, toStored(revision)]),
      ])
      if (await change(build.projection, { [`${made}.parkings`]: parkings }, { $max: raised })) return true
      await madeOf(build)
      return false
    },

    async park(event) {
      const path = pathOf(event)
      const fields = storedFields(event)
      const parked = await change(
        event.projection,
        {
          [`made.${event.build}`]: { $exists: true },
          $or: [{ [`${path}.at`]: { $exists: false } }, { [`${path}.at`]: { $gt: fields.at } }],
        },
        {
          $set: Object.fromEntries(Object.entries(fields).map(([field, value]) => [`${path}.${field}`, value])),
          $max: { [`${path}.heldThrough`]: fields.at },
          $inc: { [`made.${event.build}.parkings`]: 1 },
        },
      )
      if (!parked) await madeOf({ projection: event.projection, id: event.build })
    },

    async parked(build) {
      const made = (await read(build.projection))?.made[build.id]
      return made ? stateOf(build, made).parked : []
    },

    requestRetry: (build, stream) => {
      const path = pathOf({ build: build.id, stream })
      return change(
        build.projection,
        { [`${path}.at`]: { $exists: true } },
        { $set: { [`${path}.retryRequestedAt`]: new Date().toISOString() } },
      )
    },

    unpark(event, through) {
      const path = pathOf(event)
      return change(
        event.projection,
        { [`${path}.at`]: toStored(BigInt(event.revision)), [`${path}.heldThrough`]: { $lte: toStored(through) } },
        { $unset: { [path]: '' }, $inc: { [`made.${event.build}.parkings`]: 1 } },
      )
    },

    repark(event, later) {
      const path = pathOf(event)
      const fields = storedFields(later)
      return change(
        event.projection,
        { [`${path}.at`]: toStored(BigInt(event.revision)) },
        {
          $set: Object.fromEntries(Object.entries(fields).map(([field, value]) => [`${path}.${field}`, value])),
          $unset: { [`${path}.retryRequestedAt`]: '' },
          $max: { [`${path}.heldThrough`]: fields.at },
          $inc: { [`made.${event.build}.parkings`]: 1 },
        },
      )
    },
  }
  return available(store)
}

/** The same store, whose every method @throws Unavailable */
function available(store: ProjectionStore): ProjectionStore {
  const wrapped = Object.entries(store).map(([name, method]: [string, (...given: never[]) => Promise<unknown>]) => [
    name,
    (...given: never[]) => whileAvailable(() => method(...given)),
  ])
  return Object.fromEntries(wrapped)
}
