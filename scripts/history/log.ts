import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { startEmbeddedEventStore } from '../../adapters/embedded/eventstore/server.ts'
import { connectEventLog } from '../../adapters/eventstore/event-log.ts'
import type { Settings } from '../../adapters/process/settings.ts'
import type { EventLog } from '../../domain/ports/event-log.ts'
import { readEndpoints } from '../supervisor/endpoints.ts'

/** The log to replay, and where it is: the configured store, that of the running system, or the data folder itself when nothing runs. */
export async function openLog(
  settings: Settings,
  { mayBeNew = false } = {},
): Promise<{ log: EventLog; source: string; close(): Promise<void> }> {
  const running = settings.eventStoreUrl ?? (await readEndpoints(settings.dataDir))?.eventStore
  if (running !== undefined) {
    const log = connectEventLog({ url: running })
    try {
      await log.ping()
      return { log, source: running.replace(/\/\/[^@/]*@/, '//'), close: () => log.close() }
    } catch (error) {
      await log.close()
      if (settings.eventStoreUrl !== undefined) throw error
    }
  }
  const dataDir = join(settings.dataDir, 'eventstore')
  if (!mayBeNew && !existsSync(dataDir))
    throw new Error(`there is no event store in ${settings.dataDir}: start Quorate first, or set QUORATE_EVENTSTORE_URL`)
  const server = await startEmbeddedEventStore({ port: 0, dataDir })
  const log = connectEventLog({ url: server.url })
  const close = async () => {
    await log.close()
    await server.close()
  }
  return { log, source: dataDir, close }
}
