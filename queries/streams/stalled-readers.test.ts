import test from 'ava'
import { openReader } from './testing/reader.ts'
import { startStreamedLog } from './testing/streamed-log.ts'

const LIVE = 15
const STOPPED = 10
const BATCHES = 20
const BATCH = 400
/** Of a response: what Node buffers before it says that it is enough, and one chunk. */
const MOST_BUFFERED = 128 * 1024

test('readers that stop dead hold up nobody, cost a bounded buffer each, and are cut off', async (t) => {
  const bounds = { entries: 500, characters: 1024 * 1024 }
  const { app, append, streams, subscriptions } = await startStreamedLog(t, { ring: bounds, stalledMs: 3_000 })
  const all = await Promise.all(Array.from({ length: LIVE + STOPPED }, () => openReader(t, app, '/v1/streams/events')))
  await append(1)
  await Promise.all(all.map((reader) => reader.until((events) => events.length === 1)))
  const begun = subscriptions()
  t.is(begun, 1, 'readers who are live share one subscription')
  const stopped = all.slice(0, STOPPED)
  const live = all.slice(STOPPED)
  for (const reader of stopped) reader.stop()

  let buffered = 0
  const reason = 'x'.repeat(2_000)
  for (let batch = 1; batch <= BATCHES; batch++) {
    await append(BATCH, { reason })
    await Promise.all(live.map((reader) => reader.until((events) => events.length >= 1 + batch * BATCH)))
    for (const reader of streams.open) buffered = Math.max(buffered, reader.buffered())
    const held = streams.broadcast.held()
    t.true(held.entries <= bounds.entries && held.characters <= bounds.characters)
  }
  t.true(buffered > 0 && buffered <= MOST_BUFFERED, `${buffered} bytes`)
  while (streams.cut() < STOPPED) await new Promise((resolve) => setTimeout(resolve, 20))
  while (streams.open.size > LIVE) await new Promise(setImmediate)
  const metrics = (await app.call('GET', '/metrics')).text
  t.regex(metrics, new RegExp(`^quorate_stream_readers_cut_total ${STOPPED}$`, 'm'))
  t.regex(metrics, new RegExp(`^quorate_stream_readers ${LIVE}$`, 'm'))

  const [one] = stopped
  const seen = one!.events.length
  const resumed = await openReader(t, app, `/v1/streams/events?follow=false&cursor=${one!.events.at(-1).cursor}`)
  t.true(await resumed.ended)
  t.is(seen + resumed.events.length, 1 + BATCHES * BATCH)
})
