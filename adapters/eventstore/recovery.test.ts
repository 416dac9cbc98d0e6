import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import { type EventLog, type NewEvent, type SubscriptionMessage, Unavailable } from '../../domain/ports/event-log.ts'
import { subscribeToAll } from './catch-up.ts'
import { closeClient, openClient } from './connection.ts'
import { connectEventLog } from './event-log.ts'
import { openReads } from './reads.ts'
import { startProxy, startServerProcess } from './testing/server-process.ts'

const WRITERS = 64

const event = (): NewEvent => ({
  id: randomUUID(),
  type: 'Happened',
  data: {},
  metadata: {
    commandId: 'a',
    correlationId: 'b',
    causationId: 'c',
    actor: 'test',
    tenant: 'test',
    occurredAt: new Date().toISOString(),
    schemaVersion: 1,
  },
})

/** Appends the same event until it is told that it has been. */
async function appendSurely(log: EventLog, stream: string, expected: bigint | 'no_stream', appended: NewEvent): Promise<void> {
  for (;;) {
    const askedAt = Date.now()
    try {
      await log.append(stream, expected, [appended])
      return
    } catch (error) {
      if (!(error instanceof Unavailable) || Date.now() - askedAt > 10_000) throw error
      await delay(20)
    }
  }
}

async function idsOf(log: EventLog, stream: string): Promise<string[]> {
  const ids: string[] = []
  for await (const { id } of log.readStream(stream)) ids.push(id)
  return ids
}

async function caughtUp(events: AsyncIterator<readonly SubscriptionMessage[]>): Promise<void> {
  for (;;) if ((await events.next()).value.some(({ kind }: SubscriptionMessage) => kind === 'caughtUp')) return
}

/** Ids of what the subscription hears, which subscribes again where it was whenever it is lost. */
function follow(log: EventLog, prefix: string, signal: AbortSignal): string[] {
  const heard: string[] = []
  void (async () => {
    let after: bigint | undefined
    while (!signal.aborted) {
      try {
        for await (const batch of log.subscribe({ after, prefixes: [prefix], signal }))
          for (const message of batch) {
            if (message.kind !== 'event') continue
            heard.push(message.event.id)
            after = message.event.position
          }
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error
        await delay(20)
      }
    }
  })()
  return heard
}

test.serial(
  'a store that is killed again and again under load, and comes back, loses and doubles nothing, and needs no new client',
  async (t) => {
    const server = await startServerProcess(t)
    const log = connectEventLog({ url: server.url, deadlineMs: 4_000 })
    const stop = new AbortController()
    t.teardown(async () => {
      stop.abort()
      await log.close()
    })
    const heard = follow(log, 'load-', stop.signal)
    let writing = true
    let total = 0
    const underLoad = async () => {
      for (const enough = total + WRITERS; total < enough; ) await delay(10)
    }
    const written = await Promise.all([
      ...Array.from({ length: WRITERS }, async (_, writer) => {
        const stream = `load-${writer}`
        const ids: string[] = []
        while (writing) {
          const appended = event()
          await appendSurely(log, stream, ids.length === 0 ? 'no_stream' : BigInt(ids.length - 1), appended)
          ids.push(appended.id)
          total++
        }
        return { stream, ids }
      }),
      (async () => {
        for (let kills = 0; kills < 5; kills++) {
          await underLoad()
          await server.kill()
          await delay(kills * 150)
          await server.restart()
        }
        await underLoad()
        writing = false
        return { stream: 'load-none', ids: [] as string[] }
      })(),
    ])
    for (const { stream, ids } of written) t.deepEqual(await idsOf(log, stream), ids)
    for (const until = Date.now() + 20_000; heard.length < total && Date.now() < until; ) await delay(20)
    t.is(heard.length, total)
    t.deepEqual(heard.toSorted(), written.flatMap(({ ids }) => ids).toSorted())
  },
)

test.serial('the loss of one store fails no append to another in the same process', async (t) => {
  const [one, other] = [await startServerProcess(t), await startServerProcess(t)]
  const [lost, kept] = [connectEventLog({ url: one.url, deadlineMs: 2_000 }), connectEventLog({ url: other.url })]
  t.teardown(() => Promise.all([lost.close(), kept.close()]))
  let writing = true
  const counts = Array.from({ length: 32 }, () => 0)
  const appending = Promise.all(
    counts.map(async (_, writer) => {
      for (; writing; counts[writer]!++) await kept.append(`kept-${writer}`, 'any', [event()])
    }),
  )
  const allGoOn = async () => {
    for (const before = [...counts]; counts.some((count, writer) => count === before[writer]); ) await delay(10)
  }
  const losing = Array.from({ length: 32 }, async (_, writer) => {
    while (writing) await lost.append(`lost-${writer}`, 'any', [event()]).catch(() => delay(10))
  })
  await Promise.race([allGoOn(), appending])
  await one.kill()
  await Promise.race([allGoOn(), appending])
  writing = false
  await t.notThrowsAsync(appending)
  await Promise.all(losing)
})

test.serial('a store that stands still is unavailable in bounded time, to all, and is used again once it moves', async (t) => {
  const server = await startServerProcess(t)
  const log = connectEventLog({ url: server.url, deadlineMs: 1_000, silenceMs: 500 })
  const stop = new AbortController()
  t.teardown(async () => {
    stop.abort()
    await log.close()
  })
  await log.append('s-1', 'no_stream', [event()])
  const events = log.subscribe({ prefixes: ['s-'], signal: stop.signal })[Symbol.asyncIterator]()
  const deliveries = log.consume({ group: 'g', types: ['Happened'], signal: stop.signal })[Symbol.asyncIterator]()
  const first = await deliveries.next()
  await caughtUp(events)

  server.freeze()
  const askedAt = Date.now()
  const outcomes = await Promise.allSettled([
    log.append('s-1', 0n, [event()]),
    idsOf(log, 's-1'),
    log.ping(),
    log.readSnapshot('s-1'),
    events.next(),
    deliveries.next(),
  ])
  t.true(Date.now() - askedAt < 15_000)
  t.deepEqual(
    outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason instanceof Unavailable),
    outcomes.map(() => true),
  )

  server.thaw()
  for (let answered = false; !answered; )
    answered = await log.ping().then(
      () => true,
      () => false,
    )
  await log.append('s-2', 'no_stream', [event()])
  const again = log.consume({ group: 'g', types: ['Happened'], signal: stop.signal })[Symbol.asyncIterator]()
  t.is((await again.next()).value.event.stream, first.value.event.stream)
})

test.serial('a subscription whose connection has fallen silent is lost as soon as it has missed something', async (t) => {
  const server = await startServerProcess(t)
  const proxy = await startProxy(t, server.port)
  const log = connectEventLog({ url: server.url })
  const observer = openClient(server.url)
  const stop = new AbortController()
  t.teardown(async () => {
    stop.abort()
    await Promise.all([log.close(), closeClient(observer)])
  })
  const { newest } = openReads(observer, { deadlineMs: 1_000 })
  await log.append('s-1', 'no_stream', [event()])

  const missing: { readonly [what: string]: () => Promise<unknown> } = {
    'an event': () => log.append('s-1', 'any', [event()]),
    'a checkpoint': () => log.append('elsewhere', 'any', Array.from({ length: 400 }, event)),
  }
  for (const [what, happen] of Object.entries(missing)) {
    const client = openClient(proxy.url)
    const events = subscribeToAll(client, { prefixes: ['s-'], signal: stop.signal, newest, silenceMs: 200 })
    await caughtUp(events)
    proxy.silence()
    let lost = false
    const next = events.next().finally(() => {
      lost = true
    })
    next.catch(() => {})
    await delay(1_000)
    t.false(lost, `before ${what} was missing`)
    await happen()
    const missingSince = Date.now()
    await t.throwsAsync(next, { instanceOf: Unavailable }, what)
    // The connection's own keep-alive takes 20 s.
    t.true(Date.now() - missingSince < 15_000, what)
    // Its end is not waited for: what it asks of the connection is not answered either.
    void closeClient(client)
  }
})

test.serial('a consumer whose connection has fallen silent is lost', async (t) => {
  const server = await startServerProcess(t)
  const proxy = await startProxy(t, server.port)
  const log = connectEventLog({ url: proxy.url, deadlineMs: 1_000, silenceMs: 200 })
  t.teardown(() => log.close())
  const { signal } = new AbortController()
  const deliveries = log.consume({ group: 'g', types: ['Happened'], signal })[Symbol.asyncIterator]()
  const first = deliveries.next()
  await log.append('s-1', 'no_stream', [event()])
  await first
  const next = deliveries.next()
  proxy.silence()
  await t.throwsAsync(next, { instanceOf: Unavailable })
})

test.serial('a subscription that has nothing to say is left alone', async (t) => {
  const server = await startServerProcess(t)
  const log = connectEventLog({ url: server.url, silenceMs: 50 })
  const stop = new AbortController()
  t.teardown(async () => {
    stop.abort()
    await log.close()
  })
  const events = log.subscribe({ prefixes: ['s-'], signal: stop.signal })[Symbol.asyncIterator]()
  const deliveries = log.consume({ group: 'g', types: ['Wanted'], signal: stop.signal })[Symbol.asyncIterator]()
  const delivery = deliveries.next()
  await caughtUp(events)
  const said = (async () => {
    for (;;) {
      const { value } = await events.next()
      if (value.some(({ kind }: { kind: string }) => kind === 'event')) return value
    }
  })()
  for (let i = 0; i < 40; i++) {
    await log.append('elsewhere', 'any', Array.from({ length: 30 }, event))
    await delay(25)
  }
  const wanted = { ...event(), type: 'Wanted' }
  await log.append('s-1', 'no_stream', [wanted])
  t.is((await said).at(-1).event.id, wanted.id)
  t.is((await delivery).value.event.id, wanted.id)
})
