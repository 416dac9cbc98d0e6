import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { connectMongo } from '../adapters/mongodb/connect.ts'
import { readSettings } from '../adapters/process/settings.ts'
import { type Build, BuildUnderWay, PARTITIONS, type ProjectionStore } from '../domain/ports/projections.ts'
import { PROJECTIONS } from '../projections/catalogue.ts'
import { readEndpoints } from './supervisor/endpoints.ts'

const USAGE = `usage: npm run rebuild -- --projection ${PROJECTIONS.map(({ name }) => name).join('|')}`
const LOOK_EVERY_MS = 500

try {
  await rebuild()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

/**
 * `npm run rebuild`: has the workers build a read model from the log anew, and shows how far they are until readers have been turned to it. It goes
 * on when this is stopped, and is taken up again by calling this again.
 */
async function rebuild(): Promise<void> {
  const { values } = parseArgs({ options: { projection: { type: 'string' } } })
  const projection = PROJECTIONS.find(({ name }) => name === values.projection)
  if (!projection) throw new Error(USAGE)
  const settings = readSettings(process.env)
  const url = settings.mongodbUrl ?? (await readEndpoints(settings.dataDir))?.mongodb
  if (url === undefined) throw new Error(`no system runs over ${settings.dataDir}: start Quorate first, or set QUORATE_MONGODB_URL`)
  const { projections: store, close } = await connectMongo({ url, database: settings.mongodbDatabase })
  try {
    await showUntilActive(store, await beginOrJoin(store, projection.name, projection.version))
  } finally {
    await close()
  }
}

async function beginOrJoin(store: ProjectionStore, name: string, version: number): Promise<Build> {
  try {
    return await store.begin(name, version)
  } catch (error) {
    if (error instanceof BuildUnderWay) return error.build
    throw error
  }
}

async function showUntilActive(store: ProjectionStore, build: Build): Promise<void> {
  let shown = ''
  for (;;) {
    const { active, building } = await store.builds(build.projection)
    if (active?.id === build.id) return console.log(`${build.projection} ${build.id} has taken over`)
    if (building?.id !== build.id) throw new Error(`${build.projection} ${build.id} was given up for another build`)
    const [done, of] = [await eventsConsidered(store, build), active && (await eventsConsidered(store, active))]
    const progress = `${build.projection} ${build.id}: ${done}${of === undefined ? '' : ` of ${of}`} events`
    if (progress !== shown) console.log(progress)
    shown = progress
    await delay(LOOK_EVERY_MS)
  }
}

/** By the partition that is furthest behind. */
async function eventsConsidered(store: ProjectionStore, build: Build): Promise<number> {
  const checkpoints = await store.checkpoints(build)
  return Math.min(...Array.from({ length: PARTITIONS }, (_, partition) => checkpoints.get(partition)?.events ?? 0))
}
