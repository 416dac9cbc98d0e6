import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { connectEventLog } from '../../adapters/eventstore/event-log.ts'
import { NODE_FLAGS } from '../../adapters/process/node-flags.ts'
import type { Settings } from '../../adapters/process/settings.ts'
import { withoutCredentials } from '../../adapters/process/without-credentials.ts'
import type { EventLog } from '../../domain/ports/event-log.ts'
import { readEndpoints } from '../supervisor/endpoints.ts'

const SERVER = fileURLToPath(new URL('../embedded.js', import.meta.url))

/** The log to replay, and where it is: the configured store, that of the running system, or the data folder itself when nothing runs. */
export async function openLog(
  settings: Settings,
  { mayBeNew = false } = {},
): Promise<{ log: EventLog; source: string; url: string; close(): Promise<void> }> {
  const running = settings.eventStoreUrl ?? (await readEndpoints(settings.dataDir))?.eventStore
  if (running !== undefined) {
    const log = connectEventLog({ url: running })
    try {
      await log.ping()
      return { log, source: withoutCredentials(running), url: running, close: () => log.close() }
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
  return { log, source: dataDir, url: server.url, close }
}

/**
 * The embedded event store in a process of its own, which ends with this one: it answers while what it has answered is being worked on.
 * @throws Error that says why it did not start
 */
async function startServer(dataDir: string): Promise<{ url: string; close(): Promise<void> }> {
  const server = fork(SERVER, ['eventstore', '--data', dataDir], {
    execArgv: [...process.execArgv, ...NODE_FLAGS],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const said = text(server.stderr!)
  const ended = once(server, 'exit')
  const ready = await Promise.race([once(server, 'message'), ended.then(() => undefined)])
  if (!ready) throw new Error((await said).trim())
  return {
    url: (ready[0] as { url: string }).url,
    async close() {
      server.kill('SIGTERM')
      await ended
    },
  }
}
