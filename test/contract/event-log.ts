import { randomUUID } from 'node:crypto'
import type { TestFn } from 'ava'
import fc from 'fast-check'
import { connectEventLog } from '../../adapters/eventstore/event-log.ts'
import type { Delivery, EventLog, NewEvent, RecordedEvent, SubscriptionMessage } from '../../domain/ports/event-log.ts'
import { WrongExpectedRevision } from '../../domain/ports/event-log.ts'

const TIMEOUT_MS = 20_000

/** What Quorate relies on in an event log, whichever server answers. `name` is shown in the titles. */
export function eventLogContract(test: TestFn<unknown>, name: string, start: () => Promise<{ url: string; close(): Promise<void> }>): void {
  let server: Awaited<ReturnType<typeof start>>
  let connected: EventLog
  const log = () => connected
  test.before(async () => {
    server = await start()
    connected = connectEventLog({ url: server.url })
  })
  test.after.always(async () => {
    await connected?.close()
    await server?.close()
  })
  const titled = (title: string) => `${name}: ${title}`

  test(titled('what is appended is read back as it was, in order'), async (t) => {
    const stream = freshStream()
    const events = [event('First', { text: 'ä\u0000€', nested: { n: [1, null, true] } }), event('Second')]
    const { revision, position } = await log().append(stream, 'no_stream', events)
    const read = await all(log().readStream(stream))
    t.is(revision, 1n)
    t.deepEqual(
      read.map(({ id, type, data, metadata }) => ({ id, type, data, metadata })),
      events,
    )
    t.deepEqual(
      read.map((each) => [each.stream, each.revision]),
      [
        [stream, 0n],
        [stream, 1n],
      ],
    )
    t.is(read[1]?.position, position)
    t.true((read[0]?.position as bigint) < position)
    t.true(Math.abs(Date.parse(read[0]?.recordedAt as string) - Date.now()) < 60_000)
  })

  test(titled('a stream that does not exist is empty'), async (t) => {
    t.deepEqual(await all(log().readStream(freshStream())), [])
  })

  test(titled('an append at another revision than the current one is refused and writes nothing'), async (t) => {
    const stream = freshStream()
    await log().append(stream, 'no_stream', [event(), event()])
    await t.throwsAsync(log().append(stream, 'no_stream', [event()]), { instanceOf: WrongExpectedRevision })
    await t.throwsAsync(log().append(stream, 0n, [event()]), { instanceOf: WrongExpectedRevision })
    await t.throwsAsync(log().append(stream, 5n, [event()]), { instanceOf: WrongExpectedRevision })
    await log().append(stream, 1n, [event()])
    t.is((await all(log().readStream(stream))).length, 3)
  })

  test(titled('of many appends at one revision one wins'), async (t) => {
    const stream = freshStream()
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => log().append(stream, 'no_stream', [event(), event()])))
    t.is(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
    t.is((await all(log().readStream(stream))).length, 2)
  })

  test(titled('an append repeated with the same ids at the same older revision changes nothing'), async (t) => {
    const stream = freshStream()
    const first = [event(), event()]
    const original = await log().append(stream, 'no_stream', first)
    const next = [event(), event()]
    await log().append(stream, 1n, next)
    t.deepEqual(await log().append(stream, 'no_stream', first), original)
    t.is((await log().append(stream, 1n, next)).revision, 3n)
    t.is((await all(log().readStream(stream))).length, 4)
  })

  test(titled('reads go on from a revision, and stop at a limit'), async (t) => {
    const stream = freshStream()
    for (let from = 0; from < 1200; from += 300) {
      await log().append(
        stream,
        from === 0 ? 'no_stream' : BigInt(from - 1),
        Array.from({ length: 300 }, () => event()),
      )
    }
    t.is((await all(log().readStream(stream))).length, 1200)
    const some = await all(log().readStream(stream, { from: 700n, limit: 20 }))
    t.deepEqual([some.length, some[0]?.revision, some.at(-1)?.revision], [20, 700n, 719n])
  })

  test(titled('the whole log is in order of position, and goes on after one'), async (t) => {
    const [a, b] = [freshStream(), freshStream()]
    const { position } = await log().append(a, 'no_stream', [event()])
    await log().append(b, 'no_stream', [event(), event()])
    await log().append(a, 0n, [event()])
    const after = (await all(log().readAll({ after: position }))).filter(({ stream }) => stream === a || stream === b)
    t.deepEqual(
      after.map(({ stream, revision }) => [stream, revision]),
      [
        [b, 0n],
        [b, 1n],
        [a, 1n],
      ],
    )
    const positions = (await all(log().readAll({ limit: 50 }))).map((each) => each.position)
    t.deepEqual(
      positions,
      positions.toSorted((x, y) => Number(x - y)),
    )
  })

  test(titled('a subscription sees old and new events of its streams once, in order, and none of others'), async (t) => {
    const prefix = `${randomUUID()}-`
    const stop = new AbortController()
    for (let i = 0; i < 30; i++) await log().append(`${prefix}${i % 3}`, 'any', [event('Old')])
    const messages = log().subscribe({ prefixes: [prefix], signal: stop.signal })
    const seen: SubscriptionMessage[] = []
    const reading = (async () => {
      for await (const message of messages) {
        seen.push(message)
        if (eventsIn(seen).length === 60) return
      }
    })()
    for (let i = 0; i < 30; i++) {
      await log().append(`${prefix}${i % 3}`, 'any', [event('New')])
      await log().append(`other-${prefix}`, 'any', [event('Other')])
    }
    await within(reading)
    stop.abort()
    const events = eventsIn(seen)
    t.is(new Set(events.map(({ id }) => id)).size, 60)
    t.true(events.every(({ stream }) => stream.startsWith(prefix)))
    t.deepEqual(
      events.map(({ position }) => position),
      events.map(({ position }) => position).toSorted((x, y) => Number(x - y)),
    )
    t.true(seen.some(({ kind }) => kind === 'caughtUp'))
  })

  test(titled('a subscription goes on after a position, and tells how far it has looked'), async (t) => {
    const prefix = `${randomUUID()}-`
    const { position } = await log().append(`${prefix}a`, 'any', [event('Before')])
    const last = await log().append(`${prefix}a`, 'any', [event('After')])
    for (let i = 0; i < 8; i++)
      await log().append(
        `other-${prefix}`,
        'any',
        Array.from({ length: 100 }, () => event()),
      )
    const stop = new AbortController()
    const seen: SubscriptionMessage[] = []
    await within(
      (async () => {
        for await (const message of log().subscribe({ after: position, prefixes: [prefix], signal: stop.signal })) {
          seen.push(message)
          if (message.kind === 'checkpoint' && message.position > last.position) return
        }
      })(),
    )
    stop.abort()
    t.deepEqual(
      eventsIn(seen).map(({ type }) => type),
      ['After'],
    )
  })

  test(titled('an aborted subscription ends without an error'), async (t) => {
    const stop = new AbortController()
    const reading = all(log().subscribe({ prefixes: [randomUUID()], signal: stop.signal }))
    stop.abort()
    await within(reading)
    t.pass()
  })

  test(titled('competing consumers share the events, and what is not acknowledged comes again'), async (t) => {
    const prefix = `${randomUUID()}-`
    const group = randomUUID()
    const stop = new AbortController()
    const handled = new Map<string, number>()
    const refusedOnce = new Set<string>()
    const total = 40
    let done = () => {}
    const finished = new Promise<void>((resolve) => {
      done = resolve
    })
    const consumer = async () => {
      for await (const delivery of log().consume({ group, prefixes: [prefix], signal: stop.signal })) {
        await handle(delivery)
        if (handled.size === total) done()
      }
    }
    const handle = async ({ event: { id, revision }, retry, ack }: Delivery) => {
      if (revision === 0n && !refusedOnce.has(id)) {
        refusedOnce.add(id)
        await retry('not yet')
        return
      }
      handled.set(id, (handled.get(id) ?? 0) + 1)
      await ack()
    }
    const consuming = [consumer(), consumer()]
    const ids: string[] = []
    for (let i = 0; i < total; i++) {
      const each = event()
      ids.push(each.id)
      await log().append(`${prefix}${i % 8}`, 'any', [each])
    }
    await within(finished)
    stop.abort()
    await within(Promise.all(consuming))
    t.deepEqual([...handled.keys()].toSorted(), ids.toSorted())
    t.is(refusedOnce.size, 8)
  })

  test(titled('a consumer that asks for types gets events of no other'), async (t) => {
    const [wanted, other] = [randomUUID(), randomUUID()]
    const stop = new AbortController()
    const deliveries = log()
      .consume({ group: randomUUID(), types: [wanted], signal: stop.signal })
      [Symbol.asyncIterator]()
    const first = deliveries.next()
    const stream = freshStream()
    await log().append(stream, 'no_stream', [event(other), event(wanted), event(other), event(wanted)])
    const seen = [(await within(first)).value as Delivery, (await within(deliveries.next())).value as Delivery]
    t.deepEqual(
      seen.map((delivery) => [delivery.event.type, delivery.event.revision]),
      [
        [wanted, 1n],
        [wanted, 3n],
      ],
    )
    for (const { ack } of seen) await ack()
    stop.abort()
    await within(deliveries.next())
  })

  test(titled('a consumer that comes back gets what was left unanswered'), async (t) => {
    const prefix = `${randomUUID()}-`
    const group = randomUUID()
    const appended = event()
    const first = new AbortController()
    const deliveries = log()
      .consume({ group, prefixes: [prefix], signal: first.signal })
      [Symbol.asyncIterator]()
    const pending = deliveries.next()
    await log().append(`${prefix}a`, 'any', [appended])
    t.is(((await within(pending)).value as Delivery).event.id, appended.id)
    first.abort()
    await deliveries.next()
    const second = new AbortController()
    for await (const delivery of log().consume({ group, prefixes: [prefix], signal: second.signal })) {
      t.is(delivery.event.id, appended.id)
      await delivery.ack()
      break
    }
    second.abort()
  })

  test(titled('whatever is appended, at whatever revision, the stream holds exactly what was acknowledged'), async (t) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: -1, max: 8 }), fc.integer({ min: 1, max: 3 })), { maxLength: 12 }),
        async (attempts) => {
          const stream = freshStream()
          const acknowledged: string[] = []
          for (const [at, count] of attempts) {
            const events = Array.from({ length: count }, () => event())
            try {
              await log().append(stream, at < 0 ? 'no_stream' : BigInt(at), events)
              acknowledged.push(...events.map(({ id }) => id))
            } catch (error) {
              if (!(error instanceof WrongExpectedRevision)) throw error
            }
          }
          const read = await all(log().readStream(stream))
          return JSON.stringify(read.map(({ id }) => id)) === JSON.stringify(acknowledged)
        },
      ),
      { numRuns: 30 },
    )
    t.pass()
  })
}

const freshStream = () => `contract-${randomUUID()}`

function event(type = 'Happened', data: object = { at: 1 }): NewEvent {
  const commandId = randomUUID()
  const metadata = {
    commandId,
    correlationId: commandId,
    causationId: commandId,
    actor: 'contract',
    tenant: 'acme',
    occurredAt: new Date().toISOString(),
    schemaVersion: 1,
  }
  return { id: randomUUID(), type, data, metadata }
}

const eventsIn = (messages: readonly SubscriptionMessage[]): RecordedEvent[] =>
  messages.flatMap((message) => (message.kind === 'event' ? [message.event] : []))

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = []
  for await (const item of items) collected.push(item)
  return collected
}

function within<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing within ${TIMEOUT_MS} ms`)), TIMEOUT_MS)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
