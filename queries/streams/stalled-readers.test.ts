import test from 'ava'
import { openRawReader } from './testing/raw-reader.ts'
import { openReader } from './testing/reader.ts'
import { startStreamedLog } from './testing/streamed-log.ts'

const LIVE = 40
const STOPPED = 10
const BATCHES = 20
const BATCH = 400
/** Of a response: what Node buffers before it says that it is enough, and one chunk. */
const MOST_BUFFERED = 128 * 1024
/** Batches before any reader stops, by which the lag is known that the others have to keep. */
const BEFORE = 5

test('readers that stop dead hold up nobody, cost a bounded buffer each, and are cut off', async (t) => {
  t.timeout(120_000)
  const bounds = { entries: 500, characters: 1024 * 1024 }
  const { app, append, streams, subscriptions } = await startStreamedLog(t, { ring: bounds, stalledMs: 3_000, heartbeatMs: 600_000 })
  const live = await Promise.all(Array.from({ length: LIVE }, () => openRawReader(t, app, '/v1/streams/events')))
  const stopped = await Promise.all(Array.from({ length: STOPPED }, () => openReader(t, app, '/v1/streams/events')))
  await append(1)
  await Promise.all([...live.map((reader) => reader.until(1)), ...stopped.map((reader) => reader.until((events) => events.length === 1))])
  t.is(subscriptions(), 1, 'readers who are live share one subscription')

  let buffered = 0
  const lags: number[] = []
  const by = 'x'.repeat(2_000)
  for (let batch = 1; batch <= BATCHES; batch++) {
    if (batch === BEFORE + 1) for (const reader of stopped) reader.stop()
    await append(BATCH, { by })
    const appended = performance.now()
    await Promise.all(live.map((reader) => reader.until(1 + batch * BATCH)))
    lags.push(performance.now() - appended)
    for (const reader of streams.open) buffered = Math.max(buffered, reader.buffered())
    const held = streams.broadcast.held()
    t.true(held.entries <= bounds.entries && held.characters <= bounds.characters)
  }
  const [before, after] = [median(lags.slice(0, BEFORE)), median(lags.slice(BEFORE))]
  t.true(after < 2 * before + 100, `a lag of ${before} ms became ${after} ms`)
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

const median = (values: readonly number[]) => values.toSorted((one, other) => one - other)[values.length >> 1]!
