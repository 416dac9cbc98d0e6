import test, { type ExecutionContext } from 'ava'
import { startEmbeddedEventStore } from '../adapters/embedded/eventstore/server.ts'
import { startEmbeddedNats } from '../adapters/embedded/nats/server.ts'
import { connectEventLog } from '../adapters/eventstore/event-log.ts'
import { enrolCoordinator } from '../adapters/identity/testing/coordinator.ts'
import { verifyJws } from '../adapters/jws/verify-jws.ts'
import { watchCoordinators } from '../adapters/nats/coordinators.ts'
import { connectMessages } from '../adapters/nats/messages.ts'
import { withCurrentEvents } from '../domain/current-events.ts'
import type { RecordedEvent } from '../domain/ports/event-log.ts'
import { runApp } from '../http/testing/running-app.ts'
import { forceCloseCircuit } from './force-close-circuit.ts'
import { announceCoordinator } from './processes/announcement.ts'
import { obeyOrders } from './processes/standing/orders.ts'
import { createPartyStanding } from './processes/standing/party-standing.ts'
import { recordChanges } from './processes/standing/record-changes.ts'

const PATH = '/v1/admin/circuits/party-1/force-close'

async function start(t: ExecutionContext) {
  const [nats, store] = [await startEmbeddedNats({ port: 0 }), await startEmbeddedEventStore({ port: 0 })]
  const log = withCurrentEvents(connectEventLog({ url: store.url }))
  const messages = await connectMessages({ url: nats.url, name: 'test' })
  const { identity, witness } = enrolCoordinator()
  const coordinators = watchCoordinators(messages, witness)
  const parties = { ids: ['party-1', 'party-2'], isUp: () => true, health: () => undefined }
  const chain = { chains: new Map(), nodes: new Map(), prices: { usdCents: () => undefined } }
  const app = await runApp(t, [forceCloseCircuit({ log, parties, coordinators, verify: verifyJws, ...chain })])
  t.teardown(async () => {
    coordinators.close()
    await messages.close()
    await nats.close()
    await log.close()
    await store.close()
  })
  const operator = `Bearer ${await app.token({ sub: 'olga', tenant: '*', roles: ['operator'] })}`
  return {
    app,
    close: (path = PATH, headers = {}) => app.call('POST', path, { authorization: operator, headers }),
    async coordinator(coordinatorId: string) {
      const failures: unknown[] = []
      const standing = createPartyStanding({
        parties: parties.ids,
        isUp: parties.isUp,
        onChange: recordChanges(log, coordinatorId, (error) => failures.push(error)),
      })
      const startedAt = new Date().toISOString()
      const report = () => ({ coordinatorId, startedAt, parties: standing.reports(), queue: { depth: 0, capacity: 1 }, running: 0 })
      const announcement = announceCoordinator(messages, {
        identity,
        report,
        obey: obeyOrders(log, standing.forceClose),
        onFailure: (error) => failures.push(error),
      })
      await announcement.say()
      t.teardown(announcement.close)
      await messages.ping()
      return standing
    },
    async history(count: number) {
      for (;;) {
        const events: RecordedEvent[] = []
        for await (const event of log.readStream('party-party-1')) events.push(event)
        if (events.length >= count) return events
      }
    },
  }
}

test('an operator has every coordinator close a circuit, and the stream of the party says who opened and closed it', async (t) => {
  const { close, coordinator, history } = await start(t)
  const standings = [await coordinator('c1'), await coordinator('c2')]
  standings[0]!.failed('party-1', 'proven')
  await history(1)
  const { status, json } = await close()
  t.is(status, 200)
  t.deepEqual(json, {
    partyId: 'party-1',
    circuits: [
      { coordinatorId: 'c1', circuit: 'closed' },
      { coordinatorId: 'c2', circuit: 'closed' },
    ],
    silent: [],
  })
  t.is(standings[0]!.reports()[0]!.circuit, 'closed')
  const [opened, closed] = await history(2)
  t.like(opened, { type: 'CircuitOpened', data: { partyId: 'party-1', coordinatorId: 'c1', reason: 'proven_wrong' } })
  t.like(closed, { type: 'CircuitForceClosed', data: { partyId: 'party-1', coordinators: ['c1', 'c2'] }, metadata: { actor: 'olga' } })
})

test('closing again is answered the same', async (t) => {
  const { close, coordinator } = await start(t)
  await coordinator('c1')
  t.deepEqual((await close()).json, (await close()).json)
})

test('there must be such a party, a coordinator that answers, and an operator of the platform', async (t) => {
  const { app, close, coordinator } = await start(t)
  const alone = await close()
  t.deepEqual([alone.status, alone.json.code, alone.json.retryable], [503, 'dependency_unavailable', true])
  await coordinator('c1')
  for (const path of [PATH.replace('party-1', 'party-9'), PATH.replace('party-1', 'a.b')]) {
    const unknown = await close(path)
    t.deepEqual([unknown.status, unknown.json.code], [404, 'party_not_found'], path)
  }
  for (const claims of [
    { tenant: 'acme', roles: ['operator'] as const },
    { tenant: '*', roles: ['client'] as const },
  ])
    t.is((await app.call('POST', PATH, { authorization: `Bearer ${await app.token(claims)}` })).status, 403)
})
