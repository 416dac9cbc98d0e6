import { randomBytes } from 'node:crypto'
import test from 'ava'
import fc from 'fast-check'
import { runs } from '../../../../test/runs.ts'
import { encodeHeader, GENESIS, HEADER_BYTES, ID_BYTES, writeDigest } from './frame.ts'
import { openLog } from './log.ts'
import { createMemoryStorage } from './memory-storage.ts'
import { append, type Bytes, bytesOf, events, everything, openQuietly, storageOf, typesOf } from './testing/logs.ts'

/** A log of so many commits of two events each, and where each commit ends. */
function written(commits: number, segmentBytes?: number): { bytes: Bytes; ends: number[] } {
  const storage = createMemoryStorage()
  const log = openQuietly(storage, segmentBytes)
  const ends = Array.from({ length: commits }, (_, n) => {
    append(log, `s${n % 2}`, events(`a${n}`, `b${n}`))
    return storage.segments().at(-1)!.length
  })
  return { bytes: bytesOf(storage), ends }
}

function changed(bytes: Bytes, segment: number, change: (content: Buffer) => Buffer): Bytes {
  return new Map(bytes).set(segment, change(Buffer.from(bytes.get(segment)!)))
}

const flip =
  (at: number, bit = 0) =>
  (content: Buffer) => {
    content[at]! ^= 1 << bit
    return content
  }

/** What opening says, and which events there are then. */
function opened(bytes: Bytes) {
  const lines: string[] = []
  const storage = storageOf(bytes)
  const log = openLog(storage, (line) => lines.push(line))
  return { log, lines, storage, types: typesOf({ events: everything(log) }) }
}

const WHOLE = ['a0', 'b0', 'a1', 'b1']

test('a last commit that is torn at any byte is reported and cut off, and the log goes on', (t) => {
  const { bytes, ends } = written(3)
  const [, before, end] = ends as [number, number, number]
  for (let torn = before + 1; torn < end; torn += 1) {
    const { log, lines, storage, types } = opened(changed(bytes, 1, (content) => content.subarray(0, torn)))
    t.deepEqual(types, WHOLE)
    t.is(lines.length, 1)
    const [, cut, rest] = /^segment 1 in memory: the last commit is torn or damaged; cut off (\d+) bytes (.*)$/.exec(lines[0]!) ?? []
    // What it ends with may be zeros of its own.
    t.true(Number(cut) > 0 && Number(cut) <= torn - before)
    t.is(rest, `at offset ${before}, the last position is 4`)
    append(log, 'after', events('c'))
    t.deepEqual(opened(bytesOf(storage)).types, [...WHOLE, 'c'])
    t.deepEqual(opened(bytesOf(storage)).lines, [])
  }
})

test('a last commit of which any byte was flipped is reported and cut off', (t) => {
  const { bytes, ends } = written(3)
  const [, before, end] = ends as [number, number, number]
  for (let at = before; at < end; at += 1) {
    const { lines, types } = opened(changed(bytes, 1, flip(at, at % 8)))
    t.deepEqual(types, WHOLE)
    t.is(lines.length, 1)
  }
})

test('a last commit that reached the disk in pieces is cut off, whatever is missing', (t) => {
  const { bytes, ends } = written(3)
  const [, before, end] = ends as [number, number, number]
  fc.assert(
    fc.property(fc.integer({ min: before, max: end - 1 }), fc.integer({ min: 1, max: end - before }), (from, count) => {
      const { types } = opened(changed(bytes, 1, (content) => content.fill(0, from, Math.min(end, from + count))))
      // Zeros may stand where zeros were.
      t.true(types.length === 4 || types.length === 6)
    }),
    { numRuns: runs(200) },
  )
})

test('zeros after the last commit are room for the next one', (t) => {
  const { bytes } = written(2)
  const { lines, types } = opened(changed(bytes, 1, (content) => Buffer.concat([content, Buffer.alloc(3_000_000)])))
  t.deepEqual(types, WHOLE)
  t.deepEqual(lines, [])
})

test('damage before the last commit refuses, says where and changes nothing', (t) => {
  const { bytes, ends } = written(40)
  fc.assert(
    fc.property(fc.integer({ min: HEADER_BYTES, max: ends[38]! - 1 }), fc.integer({ min: 0, max: 7 }), (at, bit) => {
      const damaged = changed(bytes, 1, flip(at, bit))
      const storage = storageOf(damaged)
      const commit = ends.findIndex((end) => at < end)
      const offset = commit === 0 ? HEADER_BYTES : ends[commit - 1]
      t.throws(() => openQuietly(storage), {
        code: 'log_corrupt',
        message: `log_corrupt: segment 1 in memory is damaged at offset ${offset} (positions ${2 * commit + 1} to ${2 * commit + 2}), and there are later commits`,
      })
      t.deepEqual(bytesOf(storage), damaged)
    }),
    { numRuns: runs(300) },
  )
})

test('a damaged header refuses', (t) => {
  const { bytes } = written(2)
  for (let at = 0; at < HEADER_BYTES; at += 1) {
    t.throws(() => opened(changed(bytes, 1, flip(at))), { code: 'log_corrupt', message: /is damaged at offset 0; .* position 1 on/ })
  }
})

test('bytes of clients that look like a commit do not make a torn one more than torn', (t) => {
  const { bytes, ends } = written(2)
  const frame = bytes.get(1)!.subarray(ends[0], ends[1])
  // All but the id of the log, which clients do not know.
  const forged = Buffer.concat([Buffer.alloc(16, 7), frame.subarray(16), frame.subarray(16)])
  const { types, lines } = opened(changed(bytes, 1, (content) => Buffer.concat([content, forged])))
  t.deepEqual(types, WHOLE)
  t.is(lines.length, 1)
})

test('events go on over segments', (t) => {
  const { bytes } = written(60, 2000)
  t.true(bytes.size > 5)
  t.true([...bytes.values()].every(({ length }) => length <= 2000))
  const { types, lines } = opened(bytes)
  t.deepEqual(types, Array.from({ length: 60 }, (_, n) => [`a${n}`, `b${n}`]).flat())
  t.deepEqual(lines, [])
})

test('a commit that is larger than a segment has one of its own', (t) => {
  const storage = createMemoryStorage()
  const log = openQuietly(storage, 2000)
  append(log, 's', events('a'))
  append(log, 's', [{ ...events('large')[0]!, data: Buffer.alloc(10_000, 1) }])
  append(log, 's', events('b'))
  t.is(storage.segments().length, 3)
  t.deepEqual(opened(bytesOf(storage)).types, ['a', 'large', 'b'])
})

test('a segment that is missing, empty, shorter, damaged or in another place refuses, unless nothing comes after it', (t) => {
  const { bytes } = written(60, 2000)
  const without = new Map(bytes)
  without.delete(2)
  t.throws(() => opened(without), {
    code: 'log_corrupt',
    message: /segment 2 in memory is missing; it held the events from position \d+ on/,
  })
  const first = new Map(bytes)
  first.delete(1)
  t.throws(() => opened(first), { code: 'log_corrupt', message: /segment 1 in memory is missing/ })
  t.throws(() => opened(changed(bytes, 2, () => Buffer.alloc(0))), { code: 'log_corrupt', message: /segment 2 in memory is damaged/ })
  const swapped = new Map(bytes).set(2, bytes.get(3)!).set(3, bytes.get(2)!)
  t.throws(() => opened(swapped), { code: 'log_corrupt', message: /segment 2 in memory does not follow/ })
  t.throws(() => opened(new Map(bytes).set(3, bytes.get(2)!)), { code: 'log_corrupt', message: /segment 3 in memory does not follow/ })
  t.throws(() => opened(changed(bytes, 2, (content) => content.subarray(0, -1))), {
    code: 'log_corrupt',
    message: /segment 2 in memory is damaged at offset \d+ \(position \d+ and what follows\)/,
  })
  t.throws(() => opened(changed(bytes, 2, (content) => content.fill(0, content.length - 300))), { code: 'log_corrupt' })
  const other = written(60, 2000).bytes
  t.throws(() => opened(new Map(bytes).set(2, other.get(2)!)), { code: 'log_corrupt', message: /segment 2 in memory does not follow/ })
})

test('a last segment that was just being made is made again', (t) => {
  const { bytes } = written(20, 2000)
  const last = Math.max(...bytes.keys())
  const earlier = new Map(bytes)
  earlier.delete(last)
  const expected = opened(earlier).types
  for (let length = 0; length < HEADER_BYTES; length += 1) {
    const { types, lines, log, storage } = opened(changed(bytes, last, (content) => content.subarray(0, length)))
    t.deepEqual(types, expected)
    t.is(lines.length, 1)
    append(log, 's', events('c'))
    t.deepEqual(opened(bytesOf(storage)).types, [...expected, 'c'])
  }
  const { types, lines } = opened(changed(bytes, last, (content) => content.subarray(0, HEADER_BYTES)))
  t.deepEqual(types, expected)
  t.deepEqual(lines, [])
})

test('a log of another version is refused as such', (t) => {
  const header = encodeHeader({ id: randomBytes(ID_BYTES), number: 1, first: 1, previous: GENESIS, isRewritten: false })
  header[7] = 9
  writeDigest(header, 0, HEADER_BYTES)
  t.throws(() => opened(new Map([[1, header]])), { code: 'log_format' })
})

test('any sequence of appends, reopenings and torn commits is what an array would hold', (t) => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('append' as const),
        stream: fc.integer({ min: 0, max: 4 }),
        count: fc.integer({ min: 1, max: 90 }),
      }),
    },
    { weight: 2, arbitrary: fc.constant({ kind: 'reopen' as const }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('tear' as const), bytes: fc.integer({ min: 1, max: 60 }) }) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let storage = createMemoryStorage()
      let log = openQuietly(storage, 20_000)
      const commits: { stream: string; type: string; revision: number }[][] = []
      let number = 0
      for (const next of steps) {
        if (next.kind === 'append') {
          const stream = `s${next.stream}`
          const first = commits.flat().filter((event) => event.stream === stream).length
          const types = Array.from({ length: next.count }, () => `t${number++}`)
          append(log, stream, events(...types))
          commits.push(types.map((type, index) => ({ stream, type, revision: first + index })))
          continue
        }
        const bytes = bytesOf(storage)
        const last = Math.max(...bytes.keys())
        const content = bytes.get(last)!
        if (next.kind === 'tear' && content.length > HEADER_BYTES) {
          bytes.set(last, content.subarray(0, content.length - next.bytes))
          commits.pop()
        }
        storage = storageOf(bytes)
        log = openQuietly(storage, 20_000)
      }
      const expected = commits.flat()
      t.deepEqual(
        everything(log).map(({ stream, type, revision }) => ({ stream, type, revision })),
        expected,
      )
      for (const stream of ['s0', 's1', 's4']) {
        const own = expected.filter((event) => event.stream === stream)
        t.is(log.lastRevision(stream), own.length - 1)
        const middle = Math.floor(own.length / 2)
        t.deepEqual(
          typesOf(log.readStream(stream, middle, 'forwards', 70)),
          own.slice(middle, middle + 70).map(({ type }) => type),
        )
        t.deepEqual(
          typesOf(log.readStream(stream, middle, 'backwards', 70)),
          own
            .slice(0, middle + 1)
            .reverse()
            .slice(0, 70)
            .map(({ type }) => type),
        )
      }
    }),
    { numRuns: runs(60) },
  )
})
