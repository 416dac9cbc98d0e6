import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { EventStoreDBClient } from '@eventstore/db-client'
import type { Delivery } from '../../domain/ports/event-log.ts'
import { all, event, events, freshStream, ids, type Suite, within } from './event-log-suite.ts'

export function consumerContract({ define, log, connect, url }: Suite): void {
  define('competing consumers share the events, and what is not acknowledged comes again', async (t) => {
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

  define('a consumer that asks for types gets events of no other', async (t) => {
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

  define('a consumer that comes back gets what was left unanswered', async (t) => {
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

  define('an event that is retried comes again, says how often, and comes until it is acknowledged', async (t) => {
    const prefix = `${randomUUID()}-`
    const stop = new AbortController()
    const [appended] = events(1)
    await log().append(`${prefix}a`, 'no_stream', [appended!])
    const counts: number[] = []
    for await (const { event: delivered, retryCount, ack, retry } of log().consume({
      group: randomUUID(),
      prefixes: [prefix],
      signal: stop.signal,
    })) {
      t.is(delivered.id, appended!.id)
      counts.push(retryCount)
      if (counts.length < 15) await retry('not yet')
      else {
        await ack()
        break
      }
    }
    stop.abort()
    t.deepEqual(counts, [...counts.keys()])
  })

  define('what a consumer held when it died goes to another, in order', async (t) => {
    const prefix = `${randomUUID()}-`
    const group = randomUUID()
    const appended = events(20)
    await log().append(`${prefix}a`, 'no_stream', appended)
    const dying = connect()
    const held = take(dying.consume({ group, prefixes: [prefix], signal: new AbortController().signal }))
    for (let n = 0; n < 20; n++) {
      const { event: delivered, ack } = await held.next()
      t.is(delivered.id, appended[n]!.id)
      if (n < 5) await ack()
    }
    // An acknowledgement that a connection does not live to deliver is none.
    await until(async () => (await unanswered(url(), group)) === 15)
    await dying.close()
    const stop = new AbortController()
    const heir = take(log().consume({ group, prefixes: [prefix], signal: stop.signal }))
    for (const { id } of appended.slice(5)) {
      const { event: delivered, ack } = await heir.next()
      t.is(delivered.id, id)
      await ack()
    }
    stop.abort()
  })

  define('a parked event does not come again, and is kept with the reason', async (t) => {
    const prefix = `${randomUUID()}-`
    const group = randomUUID()
    const [hopeless, good, later] = events(3)
    await log().append(`${prefix}a`, 'no_stream', [hopeless!, good!])
    const { signal } = new AbortController()
    const deliveries = take(log().consume({ group, prefixes: [prefix], signal }))
    await (await deliveries.next()).park('there is no such chain')
    await (await deliveries.next()).ack()
    await until(async () => (await parkedIn(url(), group)).length === 1)
    const [{ target, reason }] = (await parkedIn(url(), group)) as [{ target: string; reason: string }]
    t.is(target, `0@${prefix}a`)
    t.true(reason.includes('there is no such chain'), reason)
    await deliveries.leave()
    const again = take(log().consume({ group, prefixes: [prefix], signal }))
    await log().append(`${prefix}a`, 1n, [later!])
    const { event: delivered, ack } = await again.next()
    t.is(delivered.id, later!.id)
    await ack()
    await again.leave()
  })

  define('what was acknowledged does not come to a consumer that comes back', async (t) => {
    const prefix = `${randomUUID()}-`
    const group = randomUUID()
    const appended = events(40)
    await log().append(`${prefix}a`, 'no_stream', appended)
    for (let from = 0; from < 40; from += 10) {
      const consumer = connect()
      const stop = new AbortController()
      const deliveries = take(consumer.consume({ group, prefixes: [prefix], signal: stop.signal }))
      for (const { id } of appended.slice(from, from + 10)) {
        const { event: delivered, ack } = await deliveries.next()
        t.is(delivered.id, id)
        await ack()
      }
      const left = 40 - from - 10
      await until(async () => (await unanswered(url(), group)) === left)
      stop.abort()
      await consumer.close()
    }
  })

  define('two groups, and two consumers of one group that start at the same time, do not disturb each other', async (t) => {
    const prefix = `${randomUUID()}-`
    const appended = events(30)
    const stop = new AbortController()
    const seen = new Map<string, string[]>()
    const consume = async (group: string) => {
      for await (const { event: delivered, ack } of log().consume({ group, prefixes: [prefix], signal: stop.signal })) {
        seen.set(group, [...(seen.get(group) ?? []), delivered.id])
        await ack()
      }
    }
    const [one, other] = [randomUUID(), randomUUID()]
    const consuming = [one, one, other, other].map(consume)
    for (const [n, each] of appended.entries()) await log().append(`${prefix}${n % 4}`, 'any', [each])
    await until(async () => [one, other].every((group) => seen.get(group)?.length === 30))
    stop.abort()
    await within(Promise.all(consuming))
    for (const group of [one, other]) t.deepEqual(seen.get(group)!.toSorted(), ids(appended).toSorted())
  })

  define('a consumer that answers nothing holds only a part of what there is', async (t) => {
    const prefix = `${randomUUID()}-`
    const group = randomUUID()
    const { signal } = new AbortController()
    await log().append(`${prefix}a`, 'no_stream', events(1000))
    const idle = take(log().consume({ group, prefixes: [prefix], signal }))
    t.is((await idle.next()).event.revision, 0n)
    const second = take(log().consume({ group, prefixes: [prefix], signal }))
    const { event: delivered } = await second.next()
    t.true(delivered.revision > 0n && delivered.revision < 1000n)
    await Promise.all([idle.leave(), second.leave()])
  })
}

/** Deliveries one by one, each awaited for a bounded time, until the consumer leaves. */
function take(deliveries: AsyncIterable<Delivery>): { next(): Promise<Delivery>; leave(): Promise<unknown> } {
  const iterator = deliveries[Symbol.asyncIterator]()
  return {
    next: async () => (await within(iterator.next())).value as Delivery,
    leave: () => within(iterator.return!()),
  }
}

const GROUPS_EVERY_MS = 50

async function until(condition: () => Promise<boolean>): Promise<void> {
  const waiting = async () => {
    while (!(await condition())) await delay(GROUPS_EVERY_MS)
  }
  await within(waiting())
}

/** Events of the group's streams that no consumer has acknowledged, as the server counts those it has handed out. */
async function unanswered(url: string, group: string): Promise<number> {
  const { stats } = await asking(url, (client) => client.getPersistentSubscriptionToAllInfo(group))
  return stats.totalInFlightMessages
}

async function parkedIn(url: string, group: string): Promise<{ target: string; reason: unknown }[]> {
  return await asking(url, async (client) => {
    const links = await all(client.readStream(`$persistentsubscription-$all::${group}-parked`)).catch(() => [])
    return links.map(({ event: link }) => ({
      target: Buffer.from(link!.data as Uint8Array).toString(),
      reason: (link!.metadata as { reason?: unknown }).reason,
    }))
  })
}

async function asking<T>(url: string, question: (client: EventStoreDBClient) => Promise<T>): Promise<T> {
  const client = EventStoreDBClient.connectionString(url)
  try {
    return await question(client)
  } finally {
    await client.dispose()
  }
}
