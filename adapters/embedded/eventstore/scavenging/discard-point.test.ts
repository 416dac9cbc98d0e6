import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { metastreamOf, originOf, type RecordedEvent, TOMBSTONE } from '../log/event.ts'
import type { Log } from '../log/log.ts'
import { createMemoryStorage } from '../log/memory-storage.ts'
import { bytesOf, events, everything, openQuietly, storageOf } from '../log/testing/logs.ts'
import { readStream } from '../streams/read.ts'
import { metadataOf, readability } from '../streams/stream-state.ts'
import { append, remove, setMetadata } from '../streams/write.ts'
import { discardsAt } from './discard-point.ts'

const SEGMENT_BYTES = 3_000
const STREAMS = ['a', 'b', 'c', 'd']

/** Scavenges a log from end to end, as nobody else is there. */
function scavenge(log: Log, now: number, segments = log.closeSegment()): number {
  const discards = discardsAt(log, now)
  let removed = 0
  for (const segment of segments) {
    const rewriting = log.rewrite(segment, discards)
    let step = rewriting.next()
    while (!step.done) step = rewriting.next()
    removed += step.value.events
  }
  return removed
}

const commit = (log: Log, work: () => void) => {
  log.stage(work)
  log.commit()
}

const metadata = (data: object) => Buffer.from(JSON.stringify(data))

/** What EventStoreDB says of an event of a log that was never scavenged. Events are recorded in the order of their times here. */
function isKept(log: Log, { stream, revision, created }: RecordedEvent, now: number): boolean {
  const last = log.lastRevision(stream)
  const origin = originOf(stream)
  if (revision === TOMBSTONE) return true
  if (last === TOMBSTONE || (origin !== undefined && log.lastRevision(origin) === TOMBSTONE)) return false
  if (revision === last) return true
  if (origin !== undefined) return false
  const { truncateBefore = 0, maxCount = Number.POSITIVE_INFINITY, maxAge = Number.POSITIVE_INFINITY } = metadataOf(log, stream)
  return revision >= truncateBefore && revision > last - maxCount && created >= now - maxAge * 1_000
}

const NAMES = STREAMS.flatMap((name) => [name, metastreamOf(name)])
const STARTS = [0, 1, 40, 64, 65, 100, 130, 1_000]

/** All that readers are shown of a stream, from several places and in both directions. */
function shown(log: Log, stream: string, now: number) {
  const read = (from: number, direction: 'forwards' | 'backwards', count = 1_000) =>
    [...readStream(log, stream, { from, direction, count, now })].flat().map(placeOf)
  return STARTS.map((start) => [read(start, 'forwards'), read(start, 'forwards', 2), read(start, 'backwards')])
}

/** The same for a log of which all events are there, less those that were removed. */
function expected(log: Log, stream: string, now: number, removed: ReadonlySet<number>) {
  const whole = [...readStream(log, stream, { from: 0, direction: 'forwards', count: 1_000, now })].flat()
  const left = whole.filter(({ position }) => !removed.has(position)).map(placeOf)
  return STARTS.map((start) => {
    const after = left.filter(({ revision }) => revision >= start)
    return [after, after.slice(0, 2), left.filter(({ revision }) => revision <= start).toReversed()]
  })
}

type Step =
  | { kind: 'append'; stream: number; count: number }
  | { kind: 'metadata'; stream: number; truncateBefore?: number; maxCount?: number; maxAge?: number }
  | { kind: 'delete' | 'tombstone'; stream: number }
  | { kind: 'scavenge'; from: number }
  | { kind: 'reopen' | 'wait' }

const stream = fc.integer({ min: 0, max: STREAMS.length - 1 })
const limit = (max: number) => fc.option(fc.integer({ min: 1, max }), { nil: undefined })
const STEPS: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('append' as const), stream, count: fc.integer({ min: 1, max: 70 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('metadata' as const),
      stream,
      truncateBefore: limit(150),
      maxCount: limit(80),
      maxAge: limit(9),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), stream }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('tombstone' as const), stream }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('scavenge' as const), from: fc.integer({ min: 0, max: 3 }) }) },
  { weight: 3, arbitrary: fc.constantFrom({ kind: 'reopen' as const }, { kind: 'wait' as const }) },
)

/** Carries out a step, unless the stream is in no state for it. */
function carryOut(log: Log, step: Step, proposed: ReturnType<typeof events>, now: number): unknown {
  switch (step.kind) {
    case 'append':
      return append(log, STREAMS[step.stream]!, 'any', proposed, now)
    case 'metadata': {
      // A scavenge takes the metadata with it, and nobody can have it back.
      if (log.lastRevision(STREAMS[step.stream]!) === TOMBSTONE) return undefined
      const { truncateBefore, maxCount, maxAge } = step
      const data = metadata({ $tb: truncateBefore, $maxCount: maxCount, $maxAge: maxAge })
      return append(log, metastreamOf(STREAMS[step.stream]!), 'any', [{ ...proposed[0]!, json: true, data }], now)
    }
    case 'delete':
    case 'tombstone':
      return remove(log, STREAMS[step.stream]!, 'any', step.kind === 'tombstone', now)
    default:
      return undefined
  }
}

test('whatever was written and removed, reads show what those of a log show that was never scavenged', (t) => {
  fc.assert(
    fc.property(fc.array(STEPS, { maxLength: 30 }), (steps) => runTwins(t, steps)),
    { numRuns: 30 },
  )
})

function runTwins(t: ExecutionContext, steps: readonly Step[]): void {
  const whole = openQuietly(createMemoryStorage(), SEGMENT_BYTES)
  let storage = createMemoryStorage()
  let log = openQuietly(storage, SEGMENT_BYTES)
  let now = 1_000_000
  let number = 0
  const removed = new Set<number>()
  for (const step of [...steps, { kind: 'scavenge', from: 0 } as const, { kind: 'reopen' } as const]) {
    const proposed = events(...Array.from({ length: step.kind === 'append' ? step.count : 1 }, () => `t${number++}`))
    const [outcome, twin] = [log, whole].map((each) => {
      const staged = each.stage(() => carryOut(each, step, proposed, now))
      each.commit()
      return staged
    })
    t.deepEqual(outcome, twin)
    if (step.kind === 'wait') now += 4_000
    if (step.kind === 'reopen') {
      storage = storageOf(bytesOf(storage))
      log = openQuietly(storage, SEGMENT_BYTES)
    }
    if (step.kind === 'scavenge') {
      const before = everything(log)
      scavenge(log, now, log.closeSegment().slice(step.from))
      const left = new Set(everything(log).map(({ position }) => position))
      for (const event of before) {
        if (!left.has(event.position)) removed.add(event.position)
        if (!left.has(event.position) || step.from === 0) t.is(left.has(event.position), isKept(whole, event, now))
      }
    }
    t.is(log.head(), whole.head())
    for (const stream of NAMES) {
      t.is(readability(log, stream), readability(whole, stream))
      if (readability(log, stream) !== 'found') continue
      t.is(log.lastRevision(stream), whole.lastRevision(stream))
      t.deepEqual(shown(log, stream, now), expected(whole, stream, now, removed))
    }
  }
  t.deepEqual(
    everything(log).map(comparable),
    everything(whole).flatMap((event) => (removed.has(event.position) ? [] : [comparable(event)])),
  )
}

/** Without the ids that the store makes up itself. */
const placeOf = ({ stream, revision, position, type, created }: RecordedEvent) => ({ stream, revision, position, type, created })
const comparable = (event: RecordedEvent) => ({ ...placeOf(event), data: Buffer.from(event.data).toString() })

test('a stream that was deleted goes on with its numbers, and one that was tombstoned keeps its tombstone alone', (t) => {
  const storage = createMemoryStorage()
  const log = openQuietly(storage, SEGMENT_BYTES)
  commit(log, () => {
    for (const name of ['deleted', 'ended']) append(log, name, 'any', events('1', '2', '3'), 1)
    setMetadata(log, 'ended', metadata({ $maxCount: 9 }), 1)
    remove(log, 'deleted', 'any', false, 2)
    remove(log, 'ended', 'any', true, 2)
  })
  t.is(scavenge(log, 3), 6)
  const left = () => everything(log).map((event) => `${event.stream} ${event.type}`)
  t.deepEqual(left(), ['deleted 3', '$$deleted $metadata', 'ended $streamDeleted'])
  t.is(readability(log, '$$ended'), 'tombstoned')
  t.is(scavenge(log, 3), 0)
  for (const each of [log, openQuietly(storageOf(bytesOf(storage)))]) {
    commit(each, () => {
      t.like(append(each, 'deleted', 'any', events('4'), 3), { kind: 'appended', revision: 3 })
      t.like(append(each, 'ended', 'any', events('4'), 3), { kind: 'deleted' })
      t.like(append(each, '$$ended', 'any', events('4'), 3), { kind: 'deleted' })
    })
    t.deepEqual(
      [...readStream(each, 'deleted', { from: 0, direction: 'forwards', count: 9, now: 3 })].flat().map(({ type }) => type),
      ['4'],
    )
  }
})

test('metadata that is not called JSON hides nothing, and takes nothing', (t) => {
  const log = openQuietly(createMemoryStorage(), SEGMENT_BYTES)
  commit(log, () => {
    append(log, 's', 'any', events('1', '2', '3'), 1)
    append(log, '$$s', 'any', [{ ...events('$metadata')[0]!, json: false, data: metadata({ $tb: 2 }) }], 1)
  })
  t.is(scavenge(log, 2), 0)
  t.is([...readStream(log, 's', { from: 0, direction: 'forwards', count: 9, now: 2 })].flat().length, 3)
})

test('however many events of a stream are too old, judging them reads none of them', (t) => {
  const log = openQuietly(createMemoryStorage())
  commit(log, () => {
    append(log, 's', 'any', events(...Array.from({ length: 2_000 }, (_, n) => `t${n}`)), 1)
    setMetadata(log, 's', metadata({ $maxAge: 1 }), 1)
  })
  let read = 0
  const readStream: Log['readStream'] = (...asked) => {
    const page = log.readStream(...asked)
    read += page.events.length
    return page
  }
  t.is(scavenge({ ...log, readStream }, 5_000), 1_999)
  t.is(read, 1, 'the metadata')
})

test('a repeated append is told by what is left of it: at an older revision it is wrong, at any it is a new one', (t) => {
  const log = openQuietly(createMemoryStorage(), SEGMENT_BYTES)
  const [first, second] = [events('1', '2'), events('3')]
  commit(log, () => {
    append(log, 's', 'no_stream', first, 1)
    append(log, 's', 1, second, 1)
    setMetadata(log, 's', metadata({ $tb: 2 }), 1)
  })
  scavenge(log, 2)
  commit(log, () => {
    t.like(append(log, 's', 'no_stream', first, 2), { kind: 'wrong_revision', actual: 2 })
    t.like(append(log, 's', 1, second, 2), { kind: 'appended', revision: 2 })
    t.like(append(log, 's', 'any', second, 2), { kind: 'appended', revision: 2 })
    t.like(append(log, 's', 'any', first, 2), { kind: 'appended', revision: 4 })
  })
})
