import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { startServer } from '../crash/server-process.ts'
import { portToKeep } from '../port-to-keep.ts'
import { eventLogContract } from './event-log.ts'

eventLogContract(test, 'embedded event store, on disk', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'quorate-contract-'))
  const port = await portToKeep()
  let server = await startServer({ dataDir, port })
  return {
    url: server.url,
    outage: {
      stop: () => server.stop(),
      async start() {
        server = await startServer({ dataDir, port })
      },
    },
    async close() {
      await server.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
})
