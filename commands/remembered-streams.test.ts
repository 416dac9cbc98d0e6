import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { startEmbeddedEventStore } from '../adapters/embedded/eventstore/server.ts'
import { connectEventLog } from '../adapters/eventstore/event-log.ts'
import type { EventLog } from '../domain/ports/event-log.ts'
import { rememberStreams } from './remembered-streams.ts'

/** A log, and how many events of it have been read. */
async function startLog(t: ExecutionContext) {
  const server = await startEmbeddedEventStore({ port: 0 })
  const log = connectEventLog({ url: server.url })
  t.teardown(async () => {
    await log.close()
    await server.close()
  })
  let read = 0
  const counted: EventLog = {
    ...log,
    async *readStream(stream, options) {
      for await (const event of log.readStream(stream, options)) {
        read++
        yield event
      }
    },
  }
  const readBy = async (log: EventLog, stream: string, options?: { from?: bigint }) => {
    read = 0
    const types: string[] = []
    for await (const { type } of log.readStream(stream, options)) types.push(type)
    return { types, read }
  }
  const append = (stream: string, ...types: string[]) => log.append(stream, 'any', types.map(event))
  return { counted, readBy, append }
}

const event = (type: string) => ({
  id: randomUUID(),
  type,
  data: {},
  metadata: {
    commandId: randomUUID(),
    correlationId: 'c',
    causationId: 'c',
    actor: 'test',
    tenant: 'test',
    occurredAt: new Date().toISOString(),
    schemaVersion: 1,
  },
})

test.serial('a stream read again is whole, but only its end is sent', async (t) => {
  const { counted, readBy, append } = await startLog(t)
  const log = rememberStreams(counted, { prefixes: ['wallet-'] })
  t.deepEqual(await readBy(log, 'wallet-1'), { types: [], read: 0 })
  await append('wallet-1', 'A', 'B', 'C')
  t.deepEqual(await readBy(log, 'wallet-1'), { types: ['A', 'B', 'C'], read: 3 })
  await append('wallet-1', 'D')
  t.deepEqual(await readBy(log, 'wallet-1'), { types: ['A', 'B', 'C', 'D'], read: 2 })
  t.deepEqual(await readBy(log, 'wallet-1', { from: 2n }), { types: ['C', 'D'], read: 2 })
})

test.serial('other streams, and those not read for longest, are read from their beginning', async (t) => {
  const { counted, readBy, append } = await startLog(t)
  const log = rememberStreams(counted, { prefixes: ['wallet-'], maxEvents: 3 })
  for (const stream of ['wallet-1', 'wallet-2', 'session-1']) await append(stream, 'A', 'B')
  await readBy(log, 'wallet-1')
  await readBy(log, 'wallet-2')
  t.is((await readBy(log, 'wallet-1')).read, 2)
  t.is((await readBy(log, 'wallet-1')).read, 1)
  await readBy(log, 'session-1')
  t.is((await readBy(log, 'session-1')).read, 2)
})

test.serial('nothing is remembered of a store that was put back to an earlier state', async (t) => {
  const [before, after] = [await startLog(t), await startLog(t)]
  let current = before.counted
  const log = rememberStreams({ ...before.counted, readStream: (...asked) => current.readStream(...asked) }, { prefixes: ['wallet-'] })
  await before.append('wallet-1', 'A', 'B')
  await after.append('wallet-1', 'A', 'C', 'D')
  await before.readBy(log, 'wallet-1')
  current = after.counted
  t.deepEqual((await after.readBy(log, 'wallet-1')).types, ['A', 'C', 'D'])
})
