import { setImmediate } from 'node:timers/promises'
import test from 'ava'
import { snapshotQueue } from './snapshot-queue.ts'

/** Writes that end when they are told to. */
function slowWrites() {
  const under: { stream: string; end(error?: Error): void }[] = []
  const failed: string[] = []
  return {
    under,
    failed,
    log: {
      writeSnapshot: (stream: string) =>
        new Promise<void>((resolve, reject) => under.push({ stream, end: (error) => (error ? reject(error) : resolve()) })),
    },
    onFailure: (stream: string) => void failed.push(stream),
    async endFirst(error?: Error) {
      under.shift()?.end(error)
      await setImmediate()
      await setImmediate()
    },
  }
}

test('snapshots are written a few at a time, of each stream the newest, and a failure holds up nothing', async (t) => {
  const writes = slowWrites()
  const queue = snapshotQueue(writes.log, { onFailure: writes.onFailure, atOnce: 2 })
  for (const stream of ['a', 'b', 'c', 'c', 'd']) queue.write(stream, async () => ({}))
  await setImmediate()
  t.deepEqual(
    writes.under.map(({ stream }) => stream),
    ['a', 'b'],
  )
  await writes.endFirst(new Error('no'))
  await writes.endFirst()
  t.deepEqual(
    writes.under.map(({ stream }) => stream),
    ['c', 'd'],
  )
  t.deepEqual(writes.failed, ['a'])
})

test('when too many wait the oldest is dropped', async (t) => {
  const writes = slowWrites()
  const queue = snapshotQueue(writes.log, { onFailure: writes.onFailure, atOnce: 1, waiting: 2 })
  for (const stream of ['a', 'b', 'c']) queue.write(stream, async () => ({}))
  await setImmediate()
  await writes.endFirst()
  t.deepEqual(
    writes.under.map(({ stream }) => stream),
    ['c'],
  )
})
