import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { startEmbeddedEventStore } from '../../adapters/embedded/eventstore/server.ts'
import { connectEventLog } from '../../adapters/eventstore/event-log.ts'
import { type EventLog, type RecordedEvent, Unavailable } from '../../domain/ports/event-log.ts'
import { runConsumer } from './consumer.ts'
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

/** Runs a process; `reached` resolves when `react` has ended this many times, whichever way. */
async function run(t: ExecutionContext, react: Reaction, { concurrency = 4 } = {}) {
  const log = await startLog(t)
  const stop = new AbortController()
  const failures: { parked?: boolean }[] = []
  let ended = 0
  const waiting = new Map<number, () => void>()
  const process: Process = {
    name: 'test',
    reactsTo: ['Happened'],
    concurrency,
    async react(event) {
      try {
        await react(event)
      } finally {
        waiting.get(++ended)?.()
      }
    },
  }
  const done = runConsumer(process, { log, signal: stop.signal, onFailure: (failure) => failures.push(failure) })
  t.teardown(async () => {
    stop.abort()
    await done
  })
  return {
    failures,
    reached: (count: number) => (ended >= count ? Promise.resolve() : new Promise<void>((resolve) => waiting.set(count, resolve))),
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
