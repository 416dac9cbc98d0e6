import { createGrpcServer } from './grpc/server.ts'
import { createCommitQueue } from './log/commit-queue.ts'
import { openDiskStorage } from './log/disk-storage.ts'
import { openLog } from './log/log.ts'
import { createMemoryStorage } from './log/memory-storage.ts'
import { hideOldCheckpoints } from './persistent/checkpoint.ts'
import { createGroupStore } from './persistent/group-store.ts'
import { startPersistentSubscriptions } from './persistent/subsystem.ts'
import { openPort } from './port.ts'
import { openScavenger } from './scavenging/scavenger.ts'
import { gossipRoutes } from './services/gossip.ts'
import { monitoringRoutes } from './services/monitoring.ts'
import { operationsRoutes } from './services/operations.ts'
import { persistentRoutes } from './services/persistent-service.ts'
import { SERVER_VERSION, serverFeaturesRoutes } from './services/server-features.ts'
import { streamsRoutes } from './services/streams-service.ts'
import { setMetadata } from './streams/write.ts'

export type EmbeddedEventStore = {
  /** `esdb://127.0.0.1:PORT?tls=false` */
  url: string
  port: number
  close(): Promise<void>
}

/** The log of an EventStoreDB is never empty: it begins with the metadata of the stream for statistics, and clients' tests count on that. */
const STATISTICS_STREAM = '$stats-127.0.0.1:2113'
const STATISTICS_METADATA = Buffer.from('{"$maxAge":864000}')

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
  const log = openLog(options.dataDir === undefined ? createMemoryStorage() : openDiskStorage(options.dataDir), report)
  const commits = createCommitQueue(log, report)
  const store = { log, commits }
  if (log.head() === 0) await commits.submit(() => setMetadata(log, STATISTICS_STREAM, STATISTICS_METADATA, Date.now()))
  const groupStore = createGroupStore(log)
  await commits.submit(() => hideOldCheckpoints(log, groupStore.load()))
  const groups = startPersistentSubscriptions(log, commits, groupStore, report)
  const scavenger = openScavenger({ log, commits, groups: groupStore }, report)
  const closeStore = async () => {
    await scavenger.close()
    await groups.close()
    // Whatever was written before this is stored before the log closes.
    await commits.submit(() => undefined)
    log.close()
  }
  let portNumber = options.port
  const grpc = createGrpcServer(
    new Map([
      ...streamsRoutes(store),
      ...persistentRoutes(store, groups),
      ...serverFeaturesRoutes(),
      ...gossipRoutes(() => portNumber),
      ...monitoringRoutes(log),
      ...operationsRoutes(scavenger),
    ]),
    report,
  )
  const port = await openPort(grpc.accept, options.port).catch(async (error: unknown) => {
    await grpc.close()
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
        await grpc.close()
        await port.close()
        await closeStore()
      })()
      return closing
    },
  }
}
