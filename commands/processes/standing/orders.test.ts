import { randomUUID } from 'node:crypto'
import test from 'ava'
import { startEmbeddedEventStore } from '../../../adapters/embedded/eventstore/server.ts'
import { connectEventLog } from '../../../adapters/eventstore/event-log.ts'
import type { PartyEvent } from '../../../domain/party/events.ts'
import { obeyOrders } from './orders.ts'

test('an order is obeyed when it stands in the log, and once', async (t) => {
  const store = await startEmbeddedEventStore({ port: 0 })
  const log = connectEventLog({ url: store.url })
  t.teardown(async () => {
    await log.close()
    await store.close()
  })
  const closed: string[] = []
  const start = () => obeyOrders(log, (partyId) => closed.push(partyId))
  const obey = start()
  const append = async (type: PartyEvent['type']) => {
    const id = randomUUID()
    const about = { commandId: id, correlationId: id, causationId: id, actor: 'olga', tenant: '*' }
    const metadata = { ...about, occurredAt: new Date().toISOString(), schemaVersion: 1 }
    return (await log.append('party-party-1', 'any', [{ id, type, data: { partyId: 'party-1' }, metadata }])).revision
  }
  const order = (revision: bigint, partyId = 'party-1') => obey({ partyId, revision })

  await order(0n)
  const opened = await append('CircuitOpened')
  await order(opened)
  const [first, second] = [await append('CircuitForceClosed'), await append('CircuitForceClosed')]
  await order(second + 1n)
  await order(first, 'party-2')
  t.deepEqual(closed, [])
  await order(first)
  await order(first)
  t.deepEqual(closed, ['party-1'])
  await order(second)
  await order(first)
  t.deepEqual(closed, ['party-1', 'party-1'])
  const { now } = Date
  Date.now = () => now() + 31_000
  t.teardown(() => {
    Date.now = now
  })
  await start()({ partyId: 'party-1', revision: second })
  t.is(closed.length, 2)
})
