import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import type { SubscriptionMessage } from '../../domain/ports/event-log.ts'
import { all, event, events, eventsIn, hear, ids, isInOrder, type Suite, within } from './event-log-suite.ts'

const SUBSCRIBERS = 200

const caughtUp = (messages: readonly SubscriptionMessage[]) => messages.some(({ kind }) => kind === 'caughtUp')
const count = (wanted: number) => (messages: readonly SubscriptionMessage[]) => eventsIn(messages).length >= wanted

export function subscriptionContract({ define, log, connect }: Suite): void {
  define('a subscription sees old and new events of its streams once, in order, and none of others', async (t) => {
    const prefix = `${randomUUID()}-`
    const stop = new AbortController()
    for (let i = 0; i < 30; i++) await log().append(`${prefix}${i % 3}`, 'any', [event('Old')])
    const batches = log().subscribe({ prefixes: [prefix], signal: stop.signal })
    const seen: SubscriptionMessage[] = []
    const reading = (async () => {
      for await (const batch of batches) {
        seen.push(...batch)
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

  define('a subscription goes on after a position, and tells how far it has looked', async (t) => {
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
        for await (const batch of log().subscribe({ after: position, prefixes: [prefix], signal: stop.signal })) {
          seen.push(...batch)
          if (batch.some((message) => message.kind === 'checkpoint' && message.position > last.position)) return
        }
      })(),
    )
    stop.abort()
    t.deepEqual(
      eventsIn(seen).map(({ type }) => type),
      ['After'],
    )
  })

  define('a subscription goes on from any checkpoint or event without a gap or a repetition', async (t) => {
    const prefix = `${randomUUID()}-`
    const appended = events(120)
    for (const [n, each] of appended.entries()) {
      await log().append(`${prefix}${n % 5}`, 'any', [each])
      if (n % 10 === 0) await log().append(`other-${prefix}`, 'any', events(60))
    }
    const stop = new AbortController()
    const whole = await hear(log().subscribe({ prefixes: [prefix], signal: stop.signal }), caughtUp)
    t.deepEqual(ids(eventsIn(whole)), ids(appended))
    const at = whole.flatMap((message, index) => {
      const position = message.kind === 'checkpoint' ? message.position : message.kind === 'event' ? message.event.position : undefined
      return position === undefined ? [] : [{ position, before: eventsIn(whole.slice(0, index + 1)).length }]
    })
    t.true(whole.some(({ kind }) => kind === 'checkpoint'))
    for (const { position, before } of at.filter((_, index) => index % 17 === 0)) {
      const rest = await hear(log().subscribe({ after: position, prefixes: [prefix], signal: stop.signal }), caughtUp)
      t.deepEqual(ids(eventsIn(rest)), ids(appended.slice(before)))
    }
    stop.abort()
  })

  define('what many writers append at once, a subscription sees in the order of the log', async (t) => {
    const prefix = `${randomUUID()}-`
    const stop = new AbortController()
    const hearing = hear(log().subscribe({ prefixes: [prefix], signal: stop.signal }), count(16 * 40))
    const other = connect()
    await Promise.all(
      Array.from({ length: 16 }, async (_, writer) => {
        for (let n = 0; n < 20; n++) await (writer % 2 ? log() : other).append(`${prefix}${(writer + n) % 7}`, 'any', events(2))
      }),
    )
    await other.close()
    const seen = eventsIn(await hearing)
    stop.abort()
    t.is(seen.length, 640)
    t.true(isInOrder(seen))
    for (let n = 0; n < 7; n++) {
      const stream = `${prefix}${n}`
      t.deepEqual(ids(seen.filter((each) => each.stream === stream)), ids(await all(log().readStream(stream))))
    }
  })

  define('a subscriber that takes nothing for a while loses nothing', async (t) => {
    const prefix = `${randomUUID()}-`
    const stop = new AbortController()
    const appended: string[] = []
    const subscription = log().subscribe({ prefixes: [prefix], signal: stop.signal })
    const iterator = subscription[Symbol.asyncIterator]()
    await within(iterator.next())
    for (let n = 0; n < 30; n++) {
      const batch = events(100).map((each) => ({ ...each, data: { fill: 'z'.repeat(2_000) } }))
      await log().append(`${prefix}${n % 3}`, 'any', batch)
      appended.push(...ids(batch))
    }
    const rest = await hear({ [Symbol.asyncIterator]: () => iterator }, count(appended.length))
    stop.abort()
    t.deepEqual(ids(eventsIn(rest)), appended)
  })

  define('a batch is no larger than asked for', async (t) => {
    const prefix = `${randomUUID()}-`
    await log().append(`${prefix}a`, 'no_stream', events(100))
    const stop = new AbortController()
    let seen = 0
    for await (const batch of log().subscribe({ prefixes: [prefix], signal: stop.signal, maxBatch: 7 })) {
      t.true(batch.length > 0 && batch.length <= 7)
      seen += eventsIn(batch).length
      if (seen === 100) break
    }
    stop.abort()
    t.is(seen, 100)
  })

  define(`${SUBSCRIBERS} subscriptions at once hear the same`, async (t) => {
    const prefix = `${randomUUID()}-`
    const stop = new AbortController()
    setMaxListeners(SUBSCRIBERS, stop.signal)
    const { position: after } = await log().append(`${prefix}before`, 'no_stream', [event()])
    const old = events(20)
    await log().append(`${prefix}a`, 'no_stream', old)
    let ready = 0
    let live = () => {}
    const everybodyLive = new Promise<void>((resolve) => {
      live = resolve
    })
    const subscriber = () => {
      let counted = false
      return hear(log().subscribe({ after, prefixes: [prefix], signal: stop.signal }), (messages) => {
        if (!counted && caughtUp(messages)) {
          counted = true
          ready += 1
          if (ready === SUBSCRIBERS) live()
        }
        return eventsIn(messages).length >= 40
      })
    }
    const hearing = Promise.all(Array.from({ length: SUBSCRIBERS }, subscriber))
    await Promise.race([everybodyLive, hearing])
    const fresh = events(20)
    for (const each of fresh) await log().append(`${prefix}a`, 'any', [each])
    const heard = await hearing
    stop.abort()
    t.true(heard.every((messages) => ids(eventsIn(messages)).join() === ids([...old, ...fresh]).join()))
  })

  define('an aborted subscription ends without an error', async (t) => {
    const stop = new AbortController()
    const reading = all(log().subscribe({ prefixes: [randomUUID()], signal: stop.signal }))
    stop.abort()
    await within(reading)
    t.pass()
  })

  define('subscriptions that are left or aborted in the middle of old events hinder nobody', async (t) => {
    const prefix = `${randomUUID()}-`
    await log().append(`${prefix}a`, 'no_stream', events(1000))
    for (let n = 0; n < 20; n++) {
      const stop = new AbortController()
      for await (const batch of log().subscribe({ prefixes: [prefix], signal: stop.signal, maxBatch: 10 })) {
        if (batch.length === 0 || n % 2 === 0) break
        stop.abort()
      }
      stop.abort()
    }
    const stop = new AbortController()
    const seen = await hear(log().subscribe({ prefixes: [prefix], signal: stop.signal }), count(1000))
    stop.abort()
    t.is(eventsIn(seen).length, 1000)
    await log().append(`${prefix}a`, 999n, [event()])
  })
}
