import { parseArgs } from 'node:util'
import { connectDocuments } from '../adapters/mongodb/documents.ts'
import { readSettings } from '../adapters/process/settings.ts'
import { PROJECTIONS } from '../projections/catalogue.ts'
import { checkpointName } from '../projections/projection.ts'
import { readEndpoints } from './supervisor/endpoints.ts'

const USAGE = `usage: npm run rebuild -- --projection ${PROJECTIONS.map(({ name }) => name).join('|')}`

try {
  await rebuild()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

/** `npm run rebuild`: throws a read model away; the worker notices and builds it from the log anew. Until it is done, reads find less. */
async function rebuild(): Promise<void> {
  const { values } = parseArgs({ options: { projection: { type: 'string' } } })
  const projection = PROJECTIONS.find(({ name }) => name === values.projection)
  if (!projection) throw new Error(USAGE)
  const settings = readSettings(process.env)
  const url = settings.mongodbUrl ?? (await readEndpoints(settings.dataDir))?.mongodb
  if (url === undefined) throw new Error(`no system runs over ${settings.dataDir}: start Quorate first, or set QUORATE_MONGODB_URL`)
  const documents = await connectDocuments({ url, database: settings.mongodbDatabase })
  try {
    await documents.drop(checkpointName(projection), projection.collections)
    console.log(`${projection.name} is being built from the log`)
  } finally {
    await documents.close()
  }
}
