import { join, resolve } from 'node:path'
import { connectEventLog } from '../../../adapters/eventstore/event-log.ts'
import { connectMongo, type ReadModelStore } from '../../../adapters/mongodb/connect.ts'
import { connectMessages } from '../../../adapters/nats/messages.ts'
import { readSettings } from '../../../adapters/process/settings.ts'
import type { Document } from '../../../domain/ports/documents.ts'
import type { EventLog } from '../../../domain/ports/event-log.ts'
import { collectionOf } from '../../../domain/ports/projections.ts'
import { type Announcements, listenForAnnouncements } from '../announcements.ts'
import type { Running, Workplace } from '../processes.ts'

export type Servers = {
  log: EventLog
  announcements: Announcements
  readModels: ReadModels
  /** Those that run already. */
  processes: readonly Running[]
  startWorker(): Promise<Running>
}

/** Documents of the build that readers are given at this moment, or of the one that is being made when there is no other. */
export type ReadModels = { get(model: string, id: string): Promise<Document | undefined> }

const BUILD = resolve(import.meta.dirname, '../../..')

/** The real servers, each a process, and the real worker when it is asked for. With a URL, the event store there is used. */
export async function withServers<T>(
  { folder, start }: Workplace,
  { url, projections }: { url: string | undefined; projections: readonly string[] },
  work: (servers: Servers) => Promise<T>,
): Promise<T> {
  const embedded = (name: string, ...args: string[]) => start({ name, entry: join(BUILD, 'scripts/embedded.js'), args })
  const store = url === undefined ? await embedded('event store', 'eventstore', '--data', join(folder, 'eventstore')) : undefined
  const mongodb = await embedded('mongodb', 'mongodb')
  const nats = await embedded('nats', 'nats')
  const env = {
    QUORATE_EVENTSTORE_URL: url ?? String(store?.ready.url),
    QUORATE_MONGODB_URL: String(mongodb.ready.url),
    QUORATE_NATS_URL: String(nats.ready.url),
    QUORATE_DATA_DIR: folder,
  }
  const log = connectEventLog({ url: env.QUORATE_EVENTSTORE_URL })
  const mongo = await connectMongo({ url: env.QUORATE_MONGODB_URL, database: readSettings({}).mongodbDatabase })
  const messages = await connectMessages({ url: env.QUORATE_NATS_URL, name: 'bench' })
  const announcements = listenForAnnouncements(messages, projections)
  try {
    return await work({
      log,
      announcements,
      readModels: readModelsOf(mongo),
      processes: [...(store ? [store] : []), mongodb, nats],
      startWorker: () => start({ name: 'projection worker', entry: join(BUILD, 'projections/main.js'), env }),
    })
  } finally {
    announcements.stop()
    await messages.close()
    await mongo.close()
    await log.close()
  }
}

function readModelsOf({ documents, projections }: ReadModelStore): ReadModels {
  return {
    async get(model, id) {
      const { active, building } = await projections.builds(model)
      const build = active ?? building
      return build && documents.get(collectionOf(build, model), id)
    },
  }
}
