import { MongoClient } from 'mongodb'
import type { Documents } from '../../domain/ports/documents.ts'
import type { ProjectionStore } from '../../domain/ports/projections.ts'
import { openDocuments } from './documents.ts'
import { openProjectionStore } from './projection-store.ts'

/** Nothing hangs: a server that cannot be found, or does not answer, is an error within these times. */
const LIMITS = {
  serverSelectionTimeoutMS: 2_000,
  connectTimeoutMS: 2_000,
  waitQueueTimeoutMS: 2_000,
  socketTimeoutMS: 5_000,
  maxPoolSize: 32,
  // Of a change of the topology it learns by what fails; there is no need to be told.
  serverMonitoringMode: 'poll' as const,
}

export type ReadModelStore = { documents: Documents; projections: ProjectionStore; close(): Promise<void> }

/** Read models in a MongoDB database, through the official driver, which reconnects by itself. @throws Unavailable */
export async function connectMongo({ url, database: name }: { url: string; database: string }): Promise<ReadModelStore> {
  const client = new MongoClient(url, { ...LIMITS, appName: 'quorate', ignoreUndefined: true })
  const database = client.db(name)
  const documents = openDocuments(database)
  try {
    await documents.ping()
  } catch (error) {
    await client.close()
    throw error
  }
  return { documents, projections: openProjectionStore(database), close: () => client.close() }
}
