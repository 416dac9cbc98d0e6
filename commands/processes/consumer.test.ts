import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { startEmbeddedEventStore } from '../../adapters/embedded/eventstore/server.ts'
import { connectEventLog } from '../../adapters/eventstore/event-log.ts'
import { type EventLog, type RecordedEvent, Unavailable } from '../../domain/ports/event-log.ts'
import { type Load, runConsumer } from './consumer.ts'
import { InOtherHands, type Process } from './process.ts'

// One after another: the client rejects every append of the process that is under way when one of its connections ends.

type Reaction = (event: RecordedEvent) => Promise<void>

async function startLog(t: ExecutionContext): Promise<EventLog> {
  const server = await startEmbeddedEventStore({ port: 0 })
  const log = connectEventLog({ url: server.url })
  t.teardown(async () => {
    await log.close()
    await server.close()
  })
  return log
}

type RunOptions = { concurrency?: number; waiting?: Process['waiting']; through?(log: EventLog): EventLog }

/** Runs a process; `reached` resolves when `react` has ended this many times, whichever way. */
async function run(t: ExecutionContext, react: Reaction, { concurrency = 4, waiting, through = (log) => log }: RunOptions = {}) {
  const log = await startLog(t)
  const stop = new AbortController()
  const failures: { parked?: boolean }[] = []
  let ended = 0
  const awaited = new Map<number, () => void>()
  const process: Process = {
    name: 'test',
    reactsTo: ['Happened'],
    concurrency,
    ...(waiting && { waiting }),
    async react(event) {
      try {
        await react(event)
      } finally {
        awaited.get(++ended)?.()
      }
    },
  }
  const loads: Load[] = []
  const done = runConsumer(process, {
    log: through(log),
    signal: stop.signal,
    onFailure: (failure) => failures.push(failure),
    onLoad: (load) => loads.push(load),
  })
  t.teardown(async () => {
    stop.abort()
    await done
  })
  return {
    failures,
    loads,
    reached: (count: number) => (ended >= count ? Promise.resolve() : new Promise<void>((resolve) => awaited.set(count, resolve))),
    append: (stream: string, ...types: string[]) => log.append(stream, 'any', types.map(event)),
    parked: async () => {
      const events: RecordedEvent[] = []
      for await (const event of log.readStream('$persistentsubscription-$all::test-parked')) events.push(event)
      return events
    },
  }
}

function event(type: string) {
  const metadata = {
    commandId: randomUUID(),
    correlationId: 'c',
    causationId: 'c',
    actor: 'test',
    tenant: 'test',
    occurredAt: new Date().toISOString(),
    schemaVersion: 1,
  }
  return { id: randomUUID(), type, data: {}, metadata }
}

test.serial('events are reacted to whose type is asked for, others are passed over', async (t) => {
  const seen: string[] = []
  const { append, reached } = await run(t, async ({ stream, revision }) => {
    seen.push(`${stream}@${revision}`)
  })
  await append('test-1', 'Ignored', 'Happened')
  await append('test-3', 'HappenedOtherwise')
  await append('test-2', 'Happened')
  await reached(2)
  t.deepEqual(seen.toSorted(), ['test-1@1', 'test-2@0'])
})

test.serial('an event is tried again while what it needs is unavailable or in other hands', async (t) => {
  const errors = [new Unavailable('nats'), new InOtherHands('attempt 2'), new Unavailable('nats'), new Unavailable('nats')]
  const { append, reached, failures, parked } = await run(t, async () => {
    const error = errors.shift()
    if (error) throw error
  })
  await append('test-1', 'Happened')
  await reached(5)
  t.is(failures.length, 3)
  t.deepEqual(await parked(), [])
})

test.serial('an event that cannot be reacted to is put aside after three failures, and others go on', async (t) => {
  const { append, reached, failures, parked } = await run(t, async ({ stream }) => {
    if (stream === 'test-poison') throw new TypeError('no')
  })
  await append('test-poison', 'Happened')
  await append('test-good', 'Happened')
  await reached(4)
  while ((await parked()).length === 0) await reached(4)
  t.is((await parked()).length, 1)
  t.deepEqual(
    failures.map(({ parked }) => parked),
    [false, false, true],
  )
})

test.serial('events of one stream are worked on one after another, those of several at once up to the bound', async (t) => {
  const working = new Map<string, number>()
  let most = 0
  const { append, reached } = await run(
    t,
    async ({ stream }) => {
      working.set(stream, (working.get(stream) ?? 0) + 1)
      most = Math.max(
        most,
        [...working.values()].reduce((sum, each) => sum + each, 0),
      )
      t.is(working.get(stream), 1)
      await new Promise((resolve) => setTimeout(resolve, 20))
      working.set(stream, 0)
    },
    { concurrency: 3 },
  )
  for (const stream of ['test-1', 'test-2', 'test-3', 'test-4', 'test-5']) await append(stream, 'Happened', 'Happened')
  await reached(10)
  t.true(most > 1)
  t.true(most <= 3)
})

/** By the last character of its stream: the least first. */
const byName = (capacity = 100): Process['waiting'] => ({
  capacity,
  turnOf: ({ stream }) => Number(stream.at(-1)),
  keep: (event) => ({ ...event, data: { kept: true } }),
})

/** Holds the first reaction until told to go on. */
function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  let begun = () => {}
  const waiting = new Promise<void>((resolve) => {
    begun = resolve
  })
  return { open: () => open(), opened, begun: () => begun(), waiting }
}

test.serial('of those that wait the one whose turn is first goes first, with what is kept of it', async (t) => {
  const { open, opened, begun, waiting } = gate()
  const seen: string[] = []
  const { append, reached, loads } = await run(
    t,
    async ({ stream, data }) => {
      if (seen.push(stream) === 1) {
        begun()
        await opened
      }
      t.deepEqual(data, { kept: true })
    },
    { concurrency: 1, waiting: byName() },
  )
  await append('test-9', 'Happened')
  await waiting
  for (const stream of ['test-3', 'test-1', 'test-2', 'test-1']) await append(stream, 'Happened')
  while (loads.at(-1)?.waiting !== 4) await setImmediate()
  t.deepEqual(loads.at(-1), { waiting: 4, running: 1 })
  open()
  await reached(5)
  t.deepEqual(seen, ['test-9', 'test-1', 'test-1', 'test-2', 'test-3'])
})

test.serial('no more are taken from the store than may wait', async (t) => {
  const { open, opened, begun, waiting } = gate()
  let taken = 0
  const { append, reached, loads } = await run(
    t,
    async () => {
      begun()
      await opened
    },
    {
      concurrency: 1,
      waiting: byName(3),
      through: (log) => ({
        ...log,
        async *consume(options) {
          for await (const delivery of log.consume(options)) {
            taken++
            yield delivery
          }
        },
      }),
    },
  )
  for (let i = 0; i < 9; i++) await append(`test-${i}`, 'Happened')
  await waiting
  while (loads.at(-1)?.waiting !== 3) await setImmediate()
  t.is(taken, 4)
  open()
  await reached(9)
  t.true(loads.every((load) => load.waiting <= 4))
})

test.serial('what is handed out again while it waits is worked on once, and then it is settled', async (t) => {
  const { open, opened, begun, waiting } = gate()
  const seen: string[] = []
  const answered: string[] = []
  let subscriptions = 0
  let deliveries = 0
  const { append, reached } = await run(
    t,
    async ({ stream }) => {
      seen.push(stream)
      begun()
      await opened
    },
    {
      concurrency: 1,
      waiting: byName(),
      through: (log) => ({
        ...log,
        // The connection is lost when three have been handed out, and the store hands them out again.
        async *consume(options) {
          const subscription = ++subscriptions
          for await (const delivery of log.consume(options)) {
            deliveries++
            yield { ...delivery, ack: () => delivery.ack().then(() => void answered.push(`${subscription} ${delivery.event.stream}`)) }
            if (subscription === 1 && deliveries === 3) throw new Unavailable('eventstore')
          }
        },
      }),
    },
  )
  for (const stream of ['test-1', 'test-2', 'test-3']) await append(stream, 'Happened')
  await waiting
  while (deliveries < 6) await setImmediate()
  open()
  await reached(3)
  while (answered.length < 3) await setImmediate()
  t.deepEqual(seen.toSorted(), ['test-1', 'test-2', 'test-3'])
  t.deepEqual(answered.toSorted(), ['2 test-1', '2 test-2', '2 test-3'])
})
