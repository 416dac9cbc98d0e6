import { randomUUID } from 'node:crypto'
import test from 'ava'
import { startEmbeddedEventStore } from '../adapters/embedded/eventstore/server.ts'
import { connectEventLog } from '../adapters/eventstore/event-log.ts'
import { withCurrentEvents } from './current-events.ts'
import type { NewEvent, SubscriptionMessage } from './ports/event-log.ts'

const frozen = (walletId: string, schemaVersion = 1): NewEvent => ({
  id: randomUUID(),
  type: 'WalletFrozen',
  data: { walletId, reason: 'audit' },
  metadata: {
    commandId: 'a',
    correlationId: 'b',
    causationId: 'c',
    actor: 'me',
    tenant: 'acme',
    occurredAt: new Date().toISOString(),
    schemaVersion,
  },
})

test('an event from the future fails its stream, is pointed out to subscribers and consumers, and holds up nothing else', async (t) => {
  const server = await startEmbeddedEventStore({ port: 0 })
  const stored = connectEventLog({ url: server.url })
  t.teardown(async () => {
    await stored.close()
    await server.close()
  })
  const log = withCurrentEvents(stored)
  await log.append('wallet-1', 'no_stream', [frozen('1'), frozen('1', 2)])
  await log.append('wallet-2', 'no_stream', [frozen('2')])

  const read = async (stream: string) => {
    let count = 0
    for await (const _ of log.readStream(stream)) count++
    return count
  }
  await t.throwsAsync(read('wallet-1'), { name: 'EventUnreadable', code: 'event_unreadable', message: /event 1 of wallet-1/ } as object)
  t.is(await read('wallet-2'), 1)

  const stop = new AbortController()
  const messages: SubscriptionMessage[] = []
  for await (const batch of log.subscribe({ prefixes: ['wallet-'], signal: stop.signal })) {
    messages.push(...batch)
    if (batch.some(({ kind }) => kind === 'caughtUp')) break
  }
  t.deepEqual(
    messages.map(({ kind }) => kind).filter((kind) => kind !== 'checkpoint'),
    ['event', 'unreadable', 'event', 'caughtUp'],
  )

  const unreadable: boolean[] = []
  for await (const delivery of log.consume({ group: 'g', types: ['WalletFrozen'], signal: stop.signal })) {
    unreadable.push(delivery.unreadable !== undefined)
    await delivery.ack()
    if (unreadable.length === 3) break
  }
  t.deepEqual(unreadable, [false, true, false])
})
