import test, { type ExecutionContext } from 'ava'
import { announceCoordinator } from '../../commands/processes/announcement.ts'
import { createPartyStanding } from '../../commands/processes/standing/party-standing.ts'
import { signReport } from '../../domain/ceremony/signed-report.ts'
import type { ClosureOrder, CoordinatorReport } from '../../domain/ports/coordinators.ts'
import type { Identity } from '../../domain/ports/identity.ts'
import { GOOD_FOR_MS } from '../../domain/ports/party-channel.ts'
import { startEmbeddedNats } from '../embedded/nats/server.ts'
import { enrolCoordinator, newIdentity } from '../identity/testing/coordinator.ts'
import { watchCoordinators } from './coordinators.ts'
import { connectMessages } from './messages.ts'

const STARTED_AT = '2026-01-01T00:00:00.000Z'
const EMPTY: CoordinatorReport = {
  coordinatorId: 'c1',
  startedAt: STARTED_AT,
  leaving: false,
  parties: [],
  queue: { depth: 0, capacity: 1 },
  running: 0,
}

async function watch(t: ExecutionContext) {
  const nats = await startEmbeddedNats({ port: 0 })
  const messages = await connectMessages({ url: nats.url, name: 'test' })
  const { identity, witness } = enrolCoordinator()
  const coordinators = watchCoordinators(messages, witness)
  t.teardown(async () => {
    coordinators.close()
    await messages.close()
    await nats.close()
  })
  const heard: CoordinatorReport[] = []
  coordinators.listen((report) => heard.push(report))
  await messages.ping()
  const announce = async (coordinatorId: string) => {
    const orders: ClosureOrder[] = []
    const standing = createPartyStanding({ parties: ['party-1', 'party-2'], isUp: () => true, onChange: () => void announcement.say() })
    const announcement = announceCoordinator(messages, {
      identity,
      report: () => ({ coordinatorId, startedAt: STARTED_AT, parties: standing.reports(), queue: { depth: 3, capacity: 10 }, running: 2 }),
      obey: async (order) => {
        orders.push(order)
        standing.forceClose(order.partyId)
      },
      onFailure: t.fail,
    })
    t.teardown(announcement.close)
    await announcement.say()
    return { standing, announcement, orders }
  }
  /** What anybody may publish. */
  const publish = async (content: unknown, subject = 'quorate.coordinators.c1') => {
    messages.publish(subject, Buffer.from(JSON.stringify(content)))
    await messages.ping()
  }
  const say = async (report: object, { subject, by = identity, at = Date.now() }: { subject?: string; by?: Identity; at?: number } = {}) =>
    publish(await signReport(by, at, report as CoordinatorReport), subject)
  return { messages, coordinators, heard, identity, announce, publish, say }
}

test('what coordinators say is known until they leave, and a change at once', async (t) => {
  const { messages, coordinators, announce } = await watch(t)
  const { standing, announcement } = await announce('c1')
  await announce('c2')
  await messages.ping()
  t.deepEqual(
    coordinators.reports().map(({ coordinatorId }) => coordinatorId),
    ['c1', 'c2'],
  )
  for (let i = 0; i < 3; i++) standing.failed('party-2', 'absent')
  await announcement.say()
  await messages.ping()
  const [report] = coordinators.reports()
  t.like(report, { queue: { depth: 3, capacity: 10 }, running: 2 })
  t.like(report!.parties[1], { partyId: 'party-2', circuit: 'open', failuresInARow: 3, score: 0.6, latencyMs: null })
  t.true(Date.parse(report!.parties[1]!.openUntil!) > Date.now())
  await announcement.close()
  await messages.ping()
  t.deepEqual(
    coordinators.reports().map(({ coordinatorId }) => coordinatorId),
    ['c2'],
  )
})

test('every coordinator is told of an order to close a circuit, and who says nothing new is silent', async (t) => {
  const { coordinators, messages, announce, say } = await watch(t)
  const all = [await announce('c1'), await announce('c2')]
  for (const { standing } of all) standing.failed('party-1', 'proven')
  await messages.ping()
  for (const revision of [3n, 4n]) {
    t.deepEqual(await coordinators.forceClose({ partyId: 'party-1', revision }), {
      circuits: [
        { coordinatorId: 'c1', circuit: 'closed' },
        { coordinatorId: 'c2', circuit: 'closed' },
      ],
      silent: [],
    })
  }
  for (const { orders } of all)
    t.deepEqual(orders, [
      { partyId: 'party-1', revision: 3n },
      { partyId: 'party-1', revision: 4n },
    ])
  t.is(all[0]!.standing.reports()[0]!.circuit, 'closed')
  await say({ ...EMPTY, coordinatorId: 'c3' }, { subject: 'quorate.coordinators.c3' })
  t.deepEqual((await coordinators.forceClose({ partyId: 'party-1', revision: 5n })).silent, ['c3'])
})

test('what is no order is answered, and obeyed by nobody', async (t) => {
  const { messages, announce } = await watch(t)
  const { orders } = await announce('c1')
  for (const order of ['', 'party-1', '{}', '{"partyId":"party-9","revision":"1"}', '{"partyId":"party-1","revision":-1}', 'null'])
    await messages.request('quorate.coordinators.c1.force-close', Buffer.from(order), { timeoutMs: 20_000 })
  t.deepEqual(orders, [])
})

test('where no coordinator answers an order fails', async (t) => {
  const { coordinators } = await watch(t)
  await t.throwsAsync(coordinators.forceClose({ partyId: 'party-1', revision: 1n }), {
    name: 'Unavailable',
    message: 'coordinators does not answer',
  })
})

test.serial('a coordinator that has not been heard of for a while is not there any more', async (t) => {
  const { messages, coordinators, announce } = await watch(t)
  await announce('c1')
  await messages.ping()
  t.is(coordinators.reports().length, 1)
  const now = Date.now
  Date.now = () => now() + 3_600
  t.teardown(() => {
    Date.now = now
  })
  t.is(coordinators.reports().length, 0)
})

test('what is malformed, or said in another one’s name, is not heard', async (t) => {
  const { heard, coordinators, publish, say } = await watch(t)
  const party = { partyId: 'p', circuit: 'open', openUntil: null, failuresInARow: 0, score: 1, latencyMs: null, timeoutMs: 1 }
  for (const wrong of [
    { queue: { depth: -1, capacity: 1 } },
    { coordinatorId: 'c1.x' },
    { parties: [{ ...party, circuit: 'ajar' }] },
    { parties: [{ ...party, score: null }] },
    { parties: Array(201).fill(party) },
  ])
    await say({ ...EMPTY, ...wrong })
  await say(EMPTY, { subject: 'quorate.coordinators.c2' })
  for (const wrong of [EMPTY, {}, null, { by: 'coordinator', at: Date.now(), report: JSON.stringify(EMPTY), signature: 'ab' }])
    await publish(wrong)
  t.deepEqual(heard, [])
  await say({ ...EMPTY, parties: [party], mood: 'good' })
  t.is(coordinators.reports().length, 1)
})

test('what no coordinator of the registry has signed is not heard, nor what was altered since', async (t) => {
  const { heard, identity, publish, say } = await watch(t)
  await say(EMPTY, { by: newIdentity('coordinator') })
  await say(EMPTY, { by: newIdentity('stranger') })
  const signed = await signReport(identity, Date.now(), EMPTY)
  for (const change of [
    { at: signed.at + 1 },
    { report: signed.report.replace('"capacity":1', '"capacity":9') },
    { by: 'stranger' },
    { signature: '00'.repeat(64) },
  ])
    await publish({ ...signed, ...change })
  t.deepEqual(heard, [])
  await publish(signed)
  t.is(heard.length, 1)
})

test('what was said before is not heard again: neither after something newer, nor after the coordinator has left, nor much later', async (t) => {
  const { heard, coordinators, identity, publish, say } = await watch(t)
  const at = Date.now()
  const early = await signReport(identity, at - 10, { ...EMPTY, queue: { depth: 1, capacity: 1 } })
  await publish(early)
  await publish(early)
  t.is(heard.length, 1)
  await say({ ...EMPTY, leaving: true }, { at })
  await publish(early)
  t.is(coordinators.reports().length, 0)
  for (const apart of [GOOD_FOR_MS + 1_000, -2 * GOOD_FOR_MS]) await say(EMPTY, { at: Date.now() - apart })
  t.is(heard.length, 2)
  await say(EMPTY)
  t.is(coordinators.reports().length, 1)
})
