import test from 'ava'
import { NO_STREAM, TOMBSTONE } from './event.ts'
import type { Log } from './log.ts'
import { createMemoryStorage } from './memory-storage.ts'
import { append, bytesOf, events, everything, openQuietly, storageOf, typesOf } from './testing/logs.ts'

const memory = (): Log => openQuietly(createMemoryStorage())

const MANY = 100

test('reads begin anywhere within an append, in both directions', (t) => {
  const log = memory()
  append(log, 's', events('a', 'b', 'c'))
  append(log, 'other', events('x'))
  append(log, 's', events('d'))
  t.deepEqual(typesOf(log.readStream('s', 1, 'forwards', MANY)), ['b', 'c', 'd'])
  t.deepEqual(typesOf(log.readStream('s', 1, 'backwards', MANY)), ['b', 'a'])
  t.deepEqual(typesOf(log.readStream('s', 100, 'backwards', MANY)), ['d', 'c', 'b', 'a'])
  t.deepEqual(typesOf(log.readAll(3, 'forwards', MANY)), ['c', 'x', 'd'])
  t.deepEqual(typesOf(log.readAll(4, 'backwards', MANY)), ['x', 'c', 'b', 'a'])
  for (const beyond of [4, 1000, TOMBSTONE]) t.deepEqual(typesOf(log.readStream('s', beyond, 'forwards', MANY)), [])
})

test('an event is read as it was appended, with where and when', (t) => {
  const log = memory()
  const [event] = events('größe')
  append(log, 'strom-é', [{ ...event!, json: true }], 1_700_000_000_123)
  const [read] = log.readAll(1, 'forwards', 1).events
  t.deepEqual(read, { ...event!, json: true, stream: 'strom-é', revision: 0, position: 1, created: 1_700_000_000_123 })
})

test('pages follow one another without a gap, whatever their size', (t) => {
  const log = memory()
  const letters = Array.from({ length: 200 }, (_, n) => String(n))
  for (let at = 0; at < letters.length; at += 7) {
    append(log, 's', events(...letters.slice(at, at + 7)))
    append(log, 'between', events('x'))
  }
  for (const size of [1, 2, 63, 64, 65, 1000]) {
    for (const direction of ['forwards', 'backwards'] as const) {
      const seen: string[] = []
      for (let next: number | undefined = direction === 'forwards' ? 0 : 999; next !== undefined; ) {
        const page = log.readStream('s', next, direction, size)
        t.true(page.events.length <= size)
        seen.push(...typesOf(page))
        next = page.next
      }
      t.deepEqual(seen, direction === 'forwards' ? letters : letters.toReversed())
    }
  }
})

test('a page of large events is short, and one that is larger than a page comes alone', (t) => {
  const log = memory()
  for (const type of ['a', 'b', 'c']) append(log, 's', [{ ...events(type)[0]!, data: Buffer.alloc(300_000, type) }])
  const page = log.readAll(1, 'forwards', MANY)
  t.deepEqual(typesOf(page), ['a'])
  t.is(page.next, 2)
  t.deepEqual(
    everything(log).map(({ data }) => data.length),
    [300_000, 300_000, 300_000],
  )
})

test('work that throws leaves nothing behind, and the rest of its commit is stored', (t) => {
  const log = memory()
  const [kept, lost] = [events('a'), events('lost')]
  log.stage(() => log.append('s', kept, 1))
  t.throws(() =>
    log.stage(() => {
      log.append('s', lost, 1)
      log.append('new', events('n'), 1)
      throw new Error('no')
    }),
  )
  t.deepEqual([...log.commit().streams], ['s'])
  t.is(log.head(), 1)
  t.is(log.lastRevision('s'), 0)
  t.is(log.lastRevision('new'), NO_STREAM)
  t.is(log.revisionOf('s', lost[0]!.id), undefined)
  t.is(log.revisionOf('s', kept[0]!.id), 0)
  append(log, 's', events('b'))
  t.deepEqual(typesOf(log.readAll(1, 'forwards', MANY)), ['a', 'b'])
})

test('what is staged can be read before it is stored', (t) => {
  const log = memory()
  const staged = events('a', 'b')
  log.stage(() => log.append('s', staged, 1))
  t.deepEqual(typesOf(log.readStream('s', 0, 'forwards', MANY)), ['a', 'b'])
  t.is(log.revisionOf('s', staged[1]!.id), 1)
  t.is(log.head(), 2)
})

test('a tombstone is the last revision there can be', (t) => {
  const log = memory()
  append(log, 's', events('a'))
  log.stage(() => log.tombstone('s', events('end')[0]!, 1))
  log.commit()
  t.is(log.lastRevision('s'), TOMBSTONE)
  t.is(log.readAll(2, 'forwards', MANY).events[0]?.revision, TOMBSTONE)
  t.deepEqual(typesOf(log.readStream('s', 1, 'forwards', MANY)), ['end'])
  t.deepEqual(typesOf(log.readStream('s', 0, 'forwards', MANY)), ['a', 'end'])
  t.deepEqual(typesOf(log.readStream('s', TOMBSTONE, 'backwards', MANY)), ['end', 'a'])
  t.deepEqual(typesOf(log.readStream('s', TOMBSTONE - 1, 'backwards', MANY)), ['a'])
})

test('an opened log knows all that the one before it knew', (t) => {
  const storage = createMemoryStorage()
  const log = openQuietly(storage)
  const repeated = events('a', 'b')
  append(log, 's', repeated)
  append(log, 'u', events('x'))
  log.stage(() => log.tombstone('u', events('end')[0]!, 1))
  log.commit()
  const again = openQuietly(storageOf(bytesOf(storage)))
  t.deepEqual(everything(again), everything(log))
  t.is(again.revisionOf('s', repeated[1]!.id), 1)
  t.is(again.revisionOf('u', repeated[1]!.id), undefined)
  t.is(again.lastRevision('u'), TOMBSTONE)
})

test('an event whose bytes changed while the log was open is not read', (t) => {
  const storage = createMemoryStorage()
  const log = openQuietly(storage)
  // Larger than what is cached.
  const data = Buffer.alloc(100_000, 'x')
  append(log, 's', [...events('a'), { ...events('b')[0]!, data }])
  storage.write(1, bytesOf(storage).get(1)!.length - 1000, Buffer.from('y'))
  t.deepEqual(typesOf(log.readAll(1, 'forwards', 1)), ['a'])
  t.throws(() => log.readAll(2, 'forwards', 1), { code: 'log_corrupt', message: /position 2/ })
})
