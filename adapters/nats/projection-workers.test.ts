import test, { type ExecutionContext } from 'ava'
import type { WorkerReport } from '../../domain/ports/projections.ts'
import { startEmbeddedNats } from '../embedded/nats/server.ts'
import { connectMessages } from './messages.ts'
import { watchProjectionWorkers } from './projection-workers.ts'

const report: WorkerReport = {
  workerId: 'w1',
  startedAt: '2026-01-01T00:00:00.000Z',
  leaving: false,
  builds: [
    {
      projection: 'wallets',
      version: 1,
      build: 'v1-1',
      role: 'active',
      partitions: [0, 15],
      position: '7',
      lagEvents: 0,
      lagMs: 1.5,
      currentAt: '2026-01-01T00:00:00.000Z',
      events: 3,
      parked: 0,
      failure: null,
    },
  ],
}

async function watch(t: ExecutionContext) {
  const nats = await startEmbeddedNats({ port: 0 })
  const messages = await connectMessages({ url: nats.url, name: 'test' })
  const workers = watchProjectionWorkers(messages)
  t.teardown(async () => {
    workers.close()
    await messages.close()
    await nats.close()
  })
  const heard: WorkerReport[] = []
  workers.listen((each) => heard.push(each))
  await messages.ping()
  const say = async (content: unknown, subject = 'quorate.projections.w1') => {
    messages.publish(subject, Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)))
    await messages.ping()
  }
  return { workers, heard, say }
}

test('the last report of each worker is known until it leaves', async (t) => {
  const { workers, heard, say } = await watch(t)
  await say(report)
  await say({ ...report, workerId: 'w2' }, 'quorate.projections.w2')
  const later = { ...report, builds: [] }
  await say(later)
  t.deepEqual(workers.reports(), [later, { ...report, workerId: 'w2' }])
  await say({ ...report, leaving: true })
  t.deepEqual(
    workers.reports().map(({ workerId }) => workerId),
    ['w2'],
  )
  t.is(heard.length, 4)
})

test.serial('a worker that has not been heard of for a while is not there any more', async (t) => {
  const { workers, say } = await watch(t)
  await say(report)
  const now = Date.now
  Date.now = () => now() + 3_400
  t.teardown(() => {
    Date.now = now
  })
  t.is(workers.reports().length, 1)
  Date.now = () => now() + 3_600
  t.is(workers.reports().length, 0)
})

test('what a newer worker says beyond is passed over, and what is malformed is not heard', async (t) => {
  const { workers, heard, say } = await watch(t)
  const [build] = report.builds
  const wrong = [
    { position: 7 },
    { position: '-7' },
    { partitions: [16] },
    { role: 'other' },
    { lagMs: 'NaN' },
    { currentAt: 'yesterday' },
    { events: -1 },
  ]
  for (const fields of wrong) await say({ ...report, builds: [{ ...build, ...fields }] })
  for (const content of ['', 'x', 'null', '[]', '{}', { ...report, builds: null }, { ...report, leaving: 1 }]) await say(content)
  await say(report, 'quorate.projections.another')
  t.deepEqual(heard, [])
  await say({ ...report, mood: 'good', builds: [{ ...build, colour: 'blue' }] })
  t.deepEqual(workers.reports(), [report])
})
