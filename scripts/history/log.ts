import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { connectEventLog } from '../../adapters/eventstore/event-log.ts'
import type { Settings } from '../../adapters/process/settings.ts'
import type { EventLog } from '../../domain/ports/event-log.ts'
import { readEndpoints } from '../supervisor/endpoints.ts'

/** What is read and sent is soon garbage: where there is little room for it, moving it about takes a third of the time. */
const YOUNG_GENERATION_MB = 24

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
  const server = await startServer(dataDir)
  const log = connectEventLog({ url: server.url })
  const close = async () => {
    await log.close()
    await server.close()
  }
  return { log, source: dataDir, close }
}

async function startServer(dataDir: string): Promise<{ url: string; close(): Promise<void> }> {
  const server = new Worker(new URL('./log-server.js', import.meta.url), {
    workerData: dataDir,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
  })
  // Rejects with what the server has failed with.
  const [url] = (await once(server, 'message')) as [string]
  return {
    url,
    async close() {
      const ended = once(server, 'exit')
      server.postMessage('close')
      await ended
    },
  }
}
