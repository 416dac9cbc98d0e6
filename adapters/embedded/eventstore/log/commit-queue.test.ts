import test from 'ava'
import { createCommitQueue } from './commit-queue.ts'
import { createMemoryStorage } from './memory-storage.ts'
import type { Storage } from './storage.ts'
import { events, everything, openQuietly, typesOf } from './testing/logs.ts'

/** A queue, and how many writes there were. */
function queueOn(changed: (storage: Storage) => Partial<Storage> = () => ({})) {
  const memory = createMemoryStorage()
  const writes: number[] = []
  const counting: Storage = {
    ...memory,
    write(segment, offset, bytes) {
      writes.push(bytes.length)
      memory.write(segment, offset, bytes)
    },
  }
  const log = openQuietly({ ...counting, ...changed(counting) })
  const lines: string[] = []
  return { log, writes, lines, commits: createCommitQueue(log, (line) => lines.push(line)) }
}

test('what arrives in one turn is stored by one write, and told once', async (t) => {
  const { log, writes, commits } = queueOn()
  const heard: string[][] = []
  const stop = commits.onCommit(({ streams }) => heard.push([...streams]))
  await Promise.all(['a', 'b', 'a'].map((stream) => commits.submit(() => log.append(stream, events(stream), 1))))
  t.is(writes.length, 1)
  t.deepEqual(heard, [['a', 'b']])
  stop()
  await commits.submit(() => log.append('c', events('c'), 1))
  t.is(writes.length, 2)
  t.is(heard.length, 1)
})

test('work that fails is alone in that', async (t) => {
  const { log, commits } = queueOn()
  const results = await Promise.allSettled([
    commits.submit(() => log.append('s', events('a'), 1).revision),
    commits.submit(() => {
      log.append('s', events('lost'), 1)
      throw new Error('no')
    }),
    commits.submit(() => log.append('s', events('b'), 1).revision),
  ])
  t.deepEqual(
    results.map((result) => (result.status === 'fulfilled' ? result.value : (result.reason as Error).message)),
    [0, 'no', 1],
  )
  t.deepEqual(typesOf({ events: everything(log) }), ['a', 'b'])
})

test('a commit that cannot be stored fails all that is in it', async (t) => {
  const failure = Object.assign(new Error('disk full'), { code: 'ENOSPC' })
  const { log, commits, lines } = queueOn(() => ({
    write() {
      throw failure
    },
  }))
  const heard: unknown[] = []
  commits.onCommit((commit) => heard.push(commit))
  const results = await Promise.allSettled(['a', 'b'].map((type) => commits.submit(() => log.append('s', events(type), 1))))
  t.deepEqual(
    results.map((result) => result.status === 'rejected' && result.reason),
    [failure, failure],
  )
  t.deepEqual(lines, ['a commit of 2 writes failed: disk full'])
  t.deepEqual(heard, [])
})

test('much at once is stored by several writes of limited size, in order', async (t) => {
  const { log, writes, commits } = queueOn()
  const types = Array.from({ length: 30 }, (_, n) => `t${n}`)
  await Promise.all(types.map((type) => commits.submit(() => log.append('s', [{ ...events(type)[0]!, data: Buffer.alloc(1_000_000) }], 1))))
  t.true(writes.length > 5)
  t.true(writes.every((bytes) => bytes < 6_000_000))
  t.deepEqual(typesOf({ events: everything(log) }), types)
})
