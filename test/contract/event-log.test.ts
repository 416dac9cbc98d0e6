import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { startEmbeddedEventStore } from '../../adapters/embedded/eventstore/server.ts'
import { eventLogContract } from './event-log.ts'

eventLogContract(test, 'embedded event store, on disk', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'quorate-contract-'))
  const server = await startEmbeddedEventStore({ port: 0, dataDir })
  const close = async () => {
    await server.close()
    await rm(dataDir, { recursive: true, force: true })
  }
  return { url: server.url, close }
})
