import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { openDiskStorage } from './disk-storage.ts'
import { HEADER_BYTES } from './frame.ts'
import type { Log } from './log.ts'
import { createMemoryStorage } from './memory-storage.ts'
import type { Discards } from './rewriting.ts'
import type { Storage } from './storage.ts'
import { append, type Bytes, bytesOf, events, everything, openQuietly, storageOf, typesOf } from './testing/logs.ts'

const types = (log: Log) => typesOf({ events: everything(log) })

/** Two streams in turn, of which one loses its first events. */
function written(storage: Storage = createMemoryStorage()) {
  const log = openQuietly(storage)
  for (let n = 0; n < 10; n++) {
    append(log, 'old', events(`a${n}`, `b${n}`))
    append(log, 'kept', events(`c${n}`))
  }
  return { storage, log }
}

const OLD: Discards = (stream, revision) => stream === 'old' && revision < 15

function rewrite(log: Log, discards: Discards = OLD, between = () => {}): { events: number; bytes: number } {
  const [segment] = log.closeSegment()
  const rewriting = log.rewrite(segment!, discards)
  for (;;) {
    const step = rewriting.next()
    if (step.done) return step.value
    between()
  }
}

const LEFT = ['c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'b7', 'c7', 'a8', 'b8', 'c8', 'a9', 'b9', 'c9']

function rewritten(): Bytes {
  const { storage, log } = written()
  rewrite(log)
  append(log, 'kept', events('after'))
  return bytesOf(storage)
}

test('what is left keeps its place, now and after a restart, and the rest is gone from the bytes', (t) => {
  const { storage, log } = written()
  const places = new Map(everything(log).map(({ position, ...event }) => [position, event]))
  const before = bytesOf(storage).get(1)!.length
  const { events: removed, bytes } = rewrite(log)
  t.is(removed, 15)
  t.is(bytesOf(storage).get(1)!.length, before - bytes)
  t.true(bytes > 0)
  t.false(bytesOf(storage).get(1)!.includes('data of a0'))
  for (const each of [log, openQuietly(storageOf(bytesOf(storage)))]) {
    t.deepEqual(types(each), LEFT)
    for (const { position, ...event } of everything(each)) t.deepEqual(event, places.get(position))
    t.is(each.head(), 30)
    t.is(each.lastRevision('old'), 19)
    t.deepEqual(typesOf(each.readStream('old', 0, 'forwards', 2)), ['b7', 'a8'])
    t.deepEqual(typesOf(each.readStream('old', 16, 'backwards', 9)), ['a8', 'b7'])
    t.deepEqual(typesOf(each.readStream('old', 14, 'backwards', 9)), [])
    t.deepEqual(typesOf(each.readAll(30, 'backwards', 4)), ['c9', 'b9', 'a9', 'c8'])
    t.deepEqual(typesOf(each.readAll(1, 'forwards', 2)), ['c0', 'c1'])
    t.deepEqual(rewrite(each), { events: 0, bytes: 0 })
  }
})

test('what stays of a stream protects what comes after it', (t) => {
  const { log } = written()
  rewrite(log, (stream, revision) => stream === 'old' && revision !== 3)
  t.deepEqual(typesOf(log.readStream('old', 0, 'forwards', 2)), ['b1', 'a2'])
})

test('a segment may be rewritten again, until nothing is left of it', (t) => {
  const { storage, log } = written()
  rewrite(log)
  rewrite(log, (_, revision) => revision < 9)
  rewrite(log, () => true)
  append(log, 'kept', events('after'))
  for (const each of [log, openQuietly(storageOf(bytesOf(storage)))]) {
    t.deepEqual(types(each), ['after'])
    t.is(each.head(), 31)
  }
})

test('while a segment is rewritten everything is read and appended as ever', (t) => {
  const storage = createMemoryStorage()
  const log = openQuietly(storage)
  const large = { ...events('large')[0]!, data: Buffer.alloc(100_000, 'x') }
  for (let n = 0; n < 12; n++) append(log, n % 2 ? 'old' : 'kept', [large])
  let turns = 0
  rewrite(
    log,
    (stream) => stream === 'old',
    () => {
      turns += 1
      t.is(types(log).filter((type) => type === 'large').length, 12)
      append(log, 'kept', events(`turn ${turns}`))
    },
  )
  t.true(turns > 2)
  for (const each of [log, openQuietly(storageOf(bytesOf(storage)))]) {
    t.is(types(each).filter((type) => type === 'large').length, 6)
    t.is(types(each).filter((type) => type.startsWith('turn')).length, turns)
  }
})

test('a rewriting that is given up, or cannot be stored, changes nothing', (t) => {
  const memory = createMemoryStorage()
  let abandoned = 0
  const failing: Storage = {
    ...memory,
    replace: (segment) => ({
      ...memory.replace(segment),
      finish() {
        throw Object.assign(new Error('no space'), { code: 'ENOSPC' })
      },
      abandon() {
        abandoned += 1
      },
    }),
  }
  const { log } = written(failing)
  const before = types(log)
  t.throws(() => rewrite(log), { code: 'ENOSPC' })
  const [segment] = log.closeSegment()
  const large = Array.from({ length: 20 }, () => ({ ...events('large')[0]!, data: Buffer.alloc(50_000, 'x') }))
  for (const event of large) append(log, 'old', [event])
  const rewriting = log.rewrite(log.closeSegment()[1]!, (stream) => stream === 'old')
  t.is(segment, 1)
  // What comes first in the stream is in another segment, and stays.
  t.deepEqual(rewriting.return({ events: 0, bytes: 0 }).value, { events: 0, bytes: 0 })
  t.is(abandoned, 1)
  append(log, 'kept', events('after'))
  for (const each of [log, openQuietly(storageOf(bytesOf(failing)))])
    t.deepEqual(types(each), [...before, ...large.map(() => 'large'), 'after'])
})

test('a segment that is damaged is not rewritten', (t) => {
  const { storage, log } = written()
  const [segment] = log.closeSegment()
  const bytes = bytesOf(storage).get(1)!
  storage.write(1, bytes.length - 100, Buffer.from([bytes.at(-100)! ^ 1]))
  const damaged = bytesOf(storage)
  t.throws(() => [...log.rewrite(segment!, OLD)], { code: 'log_corrupt', message: /segment 1 in memory is damaged at offset/ })
  t.deepEqual(bytesOf(storage), damaged)
})

test('damage anywhere in a rewritten segment refuses, and changes nothing', (t) => {
  const bytes = rewritten()
  const content = bytes.get(1)!
  const opened = (changed: Buffer) => {
    const storage = storageOf(new Map(bytes).set(1, changed))
    t.throws(() => openQuietly(storage), { code: 'log_corrupt', message: /segment 1 in memory/ })
    t.deepEqual(bytesOf(storage).get(1), changed)
  }
  fc.assert(
    fc.property(fc.integer({ min: 0, max: content.length - 1 }), fc.integer({ min: 0, max: 7 }), (at, bit) => {
      const changed = Buffer.from(content)
      changed[at]! ^= 1 << bit
      opened(changed)
    }),
    { numRuns: 200 },
  )
  for (let length = HEADER_BYTES; length < content.length; length += 7) opened(content.subarray(0, length))
  for (const added of [Buffer.alloc(1), Buffer.alloc(4096), content.subarray(HEADER_BYTES)]) opened(Buffer.concat([content, added]))
})

test('a rewritten segment of another log, in another place, or without the one after it refuses', (t) => {
  const bytes = rewritten()
  t.throws(() => openQuietly(storageOf(new Map(bytes).set(1, rewritten().get(1)!))), { code: 'log_corrupt', message: /does not follow/ })
  t.throws(() => openQuietly(storageOf(new Map([[1, bytes.get(1)!]]))), { code: 'log_corrupt', message: /segment 2 in memory is missing/ })
  t.throws(() => openQuietly(storageOf(new Map(bytes).set(3, bytes.get(1)!))), {
    code: 'log_corrupt',
    message: /segment 3 .* does not follow/,
  })
})

test('on disk a segment is replaced as a whole, and a replacement that was not finished is gone after a restart', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'rewriting-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const { log } = written(openDiskStorage(folder))
  const { bytes } = rewrite(log)
  t.true(bytes > 0)
  t.deepEqual(types(log), LEFT)
  log.close()
  await writeFile(join(folder, '00000001.log.new'), 'half of it')
  const again = openQuietly(openDiskStorage(folder))
  t.deepEqual(types(again), LEFT)
  t.deepEqual((await readdir(folder)).filter((name) => name.includes('.log')).sort(), ['00000001.log', '00000002.log'])
  again.close()
})
