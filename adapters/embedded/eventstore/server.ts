import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Server } from '@grpc/grpc-js'
import { createCommitQueue } from './log/commit-queue.ts'
import { closeDatabase, openDatabase } from './log/database.ts'
import { openLog } from './log/log.ts'
import { createGroupStore } from './persistent/group-store.ts'
import { startPersistentSubscriptions } from './persistent/subsystem.ts'
import { openPort } from './port.ts'
import { featuresService, gossipService, monitoringService, persistentService, streamsService } from './services/generated.ts'
import { gossipHandlers } from './services/gossip.ts'
import { monitoringHandlers } from './services/monitoring.ts'
import { persistentHandlers } from './services/persistent-service.ts'
import { SERVER_VERSION, serverFeaturesHandlers } from './services/server-features.ts'
import { streamsHandlers } from './services/streams-service.ts'

export type EmbeddedEventStore = {
  /** `esdb://127.0.0.1:PORT?tls=false` */
  url: string
  port: number
  close(): Promise<void>
}

const DATABASE_FILE = 'eventstore.db'

/** Larger messages are refused before they are read; an append has a much smaller limit of its own. */
const MAX_MESSAGE_BYTES = 17 * 1024 * 1024

/**
 * Starts a server on loopback that official EventStoreDB clients can use. Without `dataDir` it keeps everything in memory; with it, an
 * append is answered only when it has been fsynced. Port 0 means any free one.
 */
export async function startEmbeddedEventStore(options: {
  port: number
  dataDir?: string
  log?: (line: string) => void
}): Promise<EmbeddedEventStore> {
  const report = options.log ?? (() => {})
  if (options.dataDir !== undefined) await mkdir(options.dataDir, { recursive: true, mode: 0o700 })
  const database = openDatabase(options.dataDir === undefined ? ':memory:' : join(options.dataDir, DATABASE_FILE))
  const log = openLog(database)
  const commits = createCommitQueue(log, report)
  const store = { log, commits }
  const groups = startPersistentSubscriptions(log, commits, createGroupStore(database), report)
  const closeStore = async () => {
    await groups.close()
    // Whatever was written before this is stored before the database closes.
    await commits.submit(() => undefined)
    closeDatabase(database)
  }
  const grpc = new Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': -1,
  })
  let portNumber = options.port
  grpc.addService(streamsService, streamsHandlers(store))
  grpc.addService(persistentService, persistentHandlers(store, groups))
  grpc.addService(featuresService, serverFeaturesHandlers())
  grpc.addService(
    gossipService,
    gossipHandlers(() => portNumber),
  )
  grpc.addService(monitoringService, monitoringHandlers(log))
  const port = await openPort(grpc, options.port).catch(async (error: unknown) => {
    await closeStore()
    throw error
  })
  portNumber = port.number
  report(`embedded event store (protocol of EventStoreDB ${SERVER_VERSION}) on 127.0.0.1:${port.number}, ${options.dataDir ?? 'in memory'}`)
  let closing: Promise<void> | undefined
  return {
    url: `esdb://127.0.0.1:${port.number}?tls=false`,
    port: port.number,
    close() {
      closing ??= (async () => {
        grpc.forceShutdown()
        await port.close()
        await closeStore()
      })()
      return closing
    },
  }
}
