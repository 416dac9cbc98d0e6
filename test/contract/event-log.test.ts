import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { startEmbeddedEventStore } from '../../adapters/embedded/eventstore/server.ts'
import { connectEventLog } from '../../adapters/eventstore/event-log.ts'
import type { EventLog } from '../../domain/ports/event-log.ts'
import { eventLogContract } from './event-log.ts'

const real = process.env.QUORATE_TEST_EVENTSTORE_URL
let log: EventLog
const closing: (() => Promise<void>)[] = []

test.before(async () => {
  let url = real
  if (url === undefined) {
    const dataDir = await mkdtemp(join(tmpdir(), 'quorate-contract-'))
    const server = await startEmbeddedEventStore({ port: 0, dataDir })
    url = server.url
    closing.push(
      () => server.close(),
      () => rm(dataDir, { recursive: true, force: true }),
    )
  }
  log = connectEventLog({ url })
  closing.unshift(() => log.close())
})
test.after.always(async () => {
  for (const close of closing) await close()
})

eventLogContract(
  test,
  real === undefined ? 'embedded event store, on disk' : `event store at ${real.replace(/\/\/[^@/]*@/, '//')}`,
  () => log,
)
