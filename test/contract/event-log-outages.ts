import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import { Unavailable } from '../../domain/ports/event-log.ts'
import { all, event, events, eventsIn, freshStream, hear, ids, type Suite, within } from './event-log-suite.ts'

/** An operation must have failed by then. */
const FAILS_WITHIN_MS = 12_000
const RETRY_EVERY_MS = 50

export function outageContract({ defineOutage, log, connect }: Suite): void {
  defineOutage(
    'while the server is away every operation fails as unavailable, in bounded time, and works again afterwards',
    async (t, { stop, start }) => {
      const stream = freshStream()
      await log().append(stream, 'no_stream', [event()])
      await log().writeSnapshot(stream, { n: 1 })
      await stop()
      const operations = {
        append: () => log().append(stream, 0n, [event()]),
        readStream: () => all(log().readStream(stream)),
        readAll: () => all(log().readAll({ limit: 1 })),
        lastPosition: () => log().lastPosition([stream]),
        readSnapshot: () => log().readSnapshot(stream),
        writeSnapshot: () => log().writeSnapshot(stream, { n: 2 }),
        subscribe: () => hear(log().subscribe({ prefixes: [stream], signal: new AbortController().signal }), () => true),
        consume: () => all(log().consume({ group: randomUUID(), prefixes: [stream], signal: new AbortController().signal })),
        ping: () => log().ping(),
      }
      const failsAsUnavailable = async ([name, operation]: [string, () => Promise<unknown>]) => {
        await t.throwsAsync(within(operation(), FAILS_WITHIN_MS), { instanceOf: Unavailable }, name)
      }
      for (let repetition = 0; repetition < 2; repetition++) await Promise.all(Object.entries(operations).map(failsAsUnavailable))
      await start()
      await working(t, () => log().ping())
      t.deepEqual((await all(log().readStream(stream))).length, 1)
      t.is((await log().append(stream, 0n, [event()])).revision, 1n)
      t.deepEqual(await log().readSnapshot(stream), { n: 1 })
      await log().writeSnapshot(stream, { n: 2 })
      t.true((await all(log().readAll({ limit: 1 }))).length === 1)
    },
  )

  defineOutage('subscriptions are told that the server has gone, and go on where they were', async (t, { stop, start }) => {
    const prefix = `${randomUUID()}-`
    const before = events(10)
    await log().append(`${prefix}a`, 'no_stream', before)
    const { signal } = new AbortController()
    const lost: ReturnType<typeof eventsIn> = []
    let live = () => {}
    const isLive = new Promise<void>((resolve) => {
      live = resolve
    })
    const following = (async () => {
      for await (const batch of log().subscribe({ prefixes: [prefix], signal })) {
        lost.push(...eventsIn(batch))
        if (batch.some(({ kind }) => kind === 'caughtUp')) live()
      }
    })()
    const ended = t.throwsAsync(within(following), { instanceOf: Unavailable })
    await within(isLive)
    await stop()
    await ended
    t.deepEqual(ids(lost), ids(before))
    await start()
    const after = events(10)
    await working(t, () => log().append(`${prefix}a`, 9n, after))
    const done = new AbortController()
    const rest = await hear(
      log().subscribe({ after: lost.at(-1)!.position, prefixes: [prefix], signal: done.signal }),
      (messages) => eventsIn(messages).length >= 10,
    )
    done.abort()
    t.deepEqual(ids(eventsIn(rest)), ids(after))
  })

  defineOutage(
    'a group keeps across a restart what was not answered and what was parked, and loses nothing',
    async (t, { stop, start }) => {
      const prefix = `${randomUUID()}-`
      const group = randomUUID()
      const appended = events(30)
      await log().append(`${prefix}a`, 'no_stream', appended)
      const answered = new Set<string>()
      const first = (async () => {
        for await (const { event: delivered, ack, park } of log().consume({
          group,
          prefixes: [prefix],
          signal: new AbortController().signal,
        })) {
          if (delivered.revision === 3n) await park('hopeless')
          else if (delivered.revision < 20n) await ack()
          if (delivered.revision < 20n) answered.add(delivered.id)
        }
      })()
      const ended = t.throwsAsync(within(first), { instanceOf: Unavailable })
      while (answered.size < 20) await delay(RETRY_EVERY_MS)
      await stop()
      await ended
      await start()
      await working(t, () => log().ping())
      const left = new Set(ids(appended.slice(20)))
      const done = new AbortController()
      for await (const { event: delivered, ack } of log().consume({ group, prefixes: [prefix], signal: done.signal })) {
        left.delete(delivered.id)
        await ack()
        if (left.size === 0) break
      }
      done.abort()
      t.is(left.size, 0)
    },
  )

  defineOutage(
    'appends repeated until they are answered, while the server goes and comes, are there once and in order',
    async (t, { stop, start }) => {
      const streams = Array.from({ length: 8 }, freshStream)
      const other = connect()
      let writing = true
      const written = streams.map(async (stream, writer) => {
        const appended: string[] = []
        while (writing) {
          const expected = appended.length === 0 ? 'no_stream' : BigInt(appended.length - 1)
          const batch = events(1 + (appended.length % 3))
          await working(t, () => (writer % 2 ? log() : other).append(stream, expected, batch))
          appended.push(...ids(batch))
        }
        return appended
      })
      for (let outage = 0; outage < 3; outage++) {
        await delay(200)
        await stop()
        await delay(100)
        await start()
      }
      await delay(300)
      writing = false
      for (const [n, appended] of (await Promise.all(written)).entries()) {
        t.true(appended.length > 0)
        t.deepEqual(ids(await all(log().readStream(streams[n]!))), appended)
      }
      await other.close()
    },
  )

  defineOutage('a log can be closed while its server is away', async (t, { stop, start }) => {
    const closing = connect()
    const { signal } = new AbortController()
    const prefix = freshStream()
    await closing.append(prefix, 'no_stream', [event()])
    const reading = all(closing.subscribe({ prefixes: [prefix], signal })).catch(() => {})
    const consuming = all(closing.consume({ group: randomUUID(), prefixes: [prefix], signal })).catch(() => {})
    await closing.ping()
    await stop()
    const appending = closing.append(prefix, 0n, [event()]).catch(() => {})
    await within(closing.close(), FAILS_WITHIN_MS)
    await within(Promise.all([reading, consuming, appending]), FAILS_WITHIN_MS)
    await start()
    await t.notThrowsAsync(working(t, () => log().ping()))
  })
}

/** Repeats an operation until it is answered; only that nobody answers is no answer. */
async function working<T>(t: ExecutionContext, operation: () => Promise<T>): Promise<T> {
  const end = Date.now() + 30_000
  for (;;) {
    try {
      return await operation()
    } catch (error) {
      if (!(error instanceof Unavailable) || Date.now() > end) {
        t.log(error)
        throw error
      }
      await delay(RETRY_EVERY_MS)
    }
  }
}
