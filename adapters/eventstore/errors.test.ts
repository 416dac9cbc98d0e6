import test from 'ava'
import { Unavailable } from '../../domain/ports/event-log.ts'
import { startEmbeddedEventStore } from '../embedded/eventstore/server.ts'
import { closeClient, openClient } from './connection.ts'
import { openReads } from './reads.ts'

test('a read on a connection that is being given up finds the store unavailable', async (t) => {
  const server = await startEmbeddedEventStore({ port: 0 })
  t.teardown(() => server.close())
  const client = openClient(server.url)
  const reads = openReads(client, { deadlineMs: 1_000 })
  await reads.newest(1)
  await closeClient(client)
  await t.throwsAsync(reads.newest(1), { instanceOf: Unavailable })
})
