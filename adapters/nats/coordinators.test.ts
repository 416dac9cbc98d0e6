import test, { type ExecutionContext } from 'ava'
import { announceCoordinator } from '../../commands/processes/announcement.ts'
import { createPartyStanding } from '../../commands/processes/standing/party-standing.ts'
import type { CoordinatorReport } from '../../domain/ports/coordinators.ts'
import { startEmbeddedNats } from '../embedded/nats/server.ts'
import { watchCoordinators } from './coordinators.ts'
import { connectMessages } from './messages.ts'

const STARTED_AT = '2026-01-01T00:00:00.000Z'

async function watch(t: ExecutionContext) {
  const nats = await startEmbeddedNats({ port: 0 })
  const messages = await connectMessages({ url: nats.url, name: 'test' })
  const coordinators = watchCoordinators(messages)
  t.teardown(async () => {
    coordinators.close()
    await messages.close()
    await nats.close()
  })
  const heard: CoordinatorReport[] = []
  coordinators.listen((report) => heard.push(report))
  await messages.ping()
  const announce = (coordinatorId: string) => {
    const standing = createPartyStanding({ parties: ['party-1', 'party-2'], isUp: () => true, onChange: () => announcement.say() })
    const announcement = announceCoordinator(messages, {
      report: () => ({ coordinatorId, startedAt: STARTED_AT, parties: standing.reports(), queue: { depth: 3, capacity: 10 }, running: 2 }),
      forceClose: standing.forceClose,
    })
    t.teardown(announcement.close)
    return { standing, announcement }
  }
  const say = async (content: unknown, subject = 'quorate.coordinators.c1') => {
    messages.publish(subject, Buffer.from(JSON.stringify(content)))
    await messages.ping()
  }
  return { messages, coordinators, heard, announce, say }
}

test('what coordinators say is known until they leave, and a change at once', async (t) => {
  const { messages, coordinators, announce } = await watch(t)
  const { standing, announcement } = announce('c1')
  announce('c2')
  await messages.ping()
  t.deepEqual(
    coordinators.reports().map(({ coordinatorId }) => coordinatorId),
    ['c1', 'c2'],
  )
  for (let i = 0; i < 3; i++) standing.failed('party-2', 'absent')
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

test('an order to close a circuit reaches every coordinator, as often as it is given', async (t) => {
  const { messages, coordinators, announce, say } = await watch(t)
  const all = [announce('c1'), announce('c2')]
  for (const { standing } of all) standing.failed('party-1', 'proven')
  await messages.ping()
  for (let i = 0; i < 2; i++) {
    t.deepEqual(await coordinators.forceClose('party-1'), {
      circuits: [
        { coordinatorId: 'c1', circuit: 'closed' },
        { coordinatorId: 'c2', circuit: 'closed' },
      ],
      silent: [],
    })
  }
  t.is(all[0]!.standing.reports()[0]!.circuit, 'closed')
  await say({ ...coordinators.reports()[0], coordinatorId: 'c3' }, 'quorate.coordinators.c3')
  t.deepEqual((await coordinators.forceClose('party-1')).silent, ['c3'])
})

test('where no coordinator answers an order fails', async (t) => {
  const { coordinators } = await watch(t)
  await t.throwsAsync(coordinators.forceClose('party-1'), { name: 'Unavailable', message: 'coordinators does not answer' })
})

test.serial('a coordinator that has not been heard of for a while is not there any more', async (t) => {
  const { messages, coordinators, announce } = await watch(t)
  announce('c1')
  await messages.ping()
  const now = Date.now
  Date.now = () => now() + 3_600
  t.teardown(() => {
    Date.now = now
  })
  t.is(coordinators.reports().length, 0)
})

test('what is malformed, or said in another one’s name, is not heard', async (t) => {
  const { heard, coordinators, say } = await watch(t)
  const report = { coordinatorId: 'c1', startedAt: STARTED_AT, leaving: false, parties: [], queue: { depth: 0, capacity: 1 }, running: 0 }
  const party = { partyId: 'p', circuit: 'open', openUntil: null, failuresInARow: 0, score: 1, latencyMs: null, timeoutMs: 1 }
  for (const wrong of [
    { queue: { depth: -1, capacity: 1 } },
    { coordinatorId: 'c1.x' },
    { parties: [{ ...party, circuit: 'ajar' }] },
    { parties: [{ ...party, score: null }] },
    { parties: Array(201).fill(party) },
  ])
    await say({ ...report, ...wrong })
  await say(report, 'quorate.coordinators.c2')
  t.deepEqual(heard, [])
  await say({ ...report, parties: [party], mood: 'good' })
  t.is(coordinators.reports().length, 1)
})
