import test from 'ava'
import { NO_STREAM, TOMBSTONE } from '../log/event.ts'
import { decideAppend, decideDelete, type StreamFacts } from './expected-revision.ts'

/** A stream whose events have these ids, in order. */
const stream = (ids: string[], more: Partial<StreamFacts> = {}): StreamFacts => ({
  last: ids.length - 1,
  deleted: false,
  hasMetadata: false,
  idAt: (revision) => ids[revision],
  revisionOf: (id) => (ids.includes(id) ? ids.lastIndexOf(id) : undefined),
  ...more,
})

const kind = (...args: Parameters<typeof decideAppend>) => decideAppend(...args).kind

test('an exact revision that is current writes, even ids that are known', (t) => {
  t.is(kind(stream(['a', 'b']), 1, ['a']), 'write')
  t.is(kind(stream([]), 'no_stream', ['a']), 'write')
  t.is(kind(stream(['a', 'b']), 2, ['c']), 'wrong_revision')
  t.is(kind(stream(['a', 'b']), 0, ['c']), 'wrong_revision')
})

test('an older revision is right when exactly these events followed it', (t) => {
  t.deepEqual(decideAppend(stream(['a', 'b', 'c']), 0, ['b']), { kind: 'repeated', revision: 1 })
  t.deepEqual(decideAppend(stream(['a', 'b', 'c']), 'no_stream', ['a', 'b']), { kind: 'repeated', revision: 1 })
  t.is(kind(stream(['a', 'b', 'c']), 'no_stream', ['b', 'c']), 'wrong_revision')
  t.is(kind(stream(['a', 'b', 'c']), 1, ['c', 'd']), 'wrong_revision')
})

test('without an exact revision a known first id means that all must be known', (t) => {
  for (const expected of ['any', 'stream_exists'] as const) {
    t.deepEqual(decideAppend(stream(['a', 'b', 'c']), expected, ['a', 'c']), { kind: 'repeated', revision: 2 })
    t.is(kind(stream(['a', 'b']), expected, ['b', 'new']), 'wrong_revision')
    t.is(kind(stream(['a', 'b']), expected, ['new', 'a']), 'write')
  }
})

test('a deleted stream can be written again, by its last revision or as if it were new, a tombstoned one cannot', (t) => {
  const deleted = stream(['a', 'b'], { deleted: true, hasMetadata: true })
  t.is(kind(deleted, 'any', ['c']), 'write')
  t.is(kind(deleted, 'no_stream', ['c']), 'write')
  t.is(kind(deleted, 1, ['c']), 'write')
  t.is(kind(deleted, 0, ['c']), 'wrong_revision')
  t.is(kind(deleted, 'stream_exists', ['c']), 'deleted')
  t.is(kind(stream([], { last: TOMBSTONE }), 'any', ['c']), 'deleted')
})

test('a stream that only has metadata exists for writers that expect one', (t) => {
  t.is(kind(stream([], { hasMetadata: true }), 'stream_exists', ['a']), 'write')
  t.is(kind(stream([]), 'stream_exists', ['a']), 'wrong_revision')
})

test('only a tombstone can be put where nothing is', (t) => {
  const missing = stream([])
  t.is(missing.last, NO_STREAM)
  t.is(decideDelete(missing, 'any', false).kind, 'wrong_revision')
  t.is(decideDelete(missing, 'any', true).kind, 'delete')
  t.is(decideDelete(stream(['a']), 0, false).kind, 'delete')
  t.is(decideDelete(stream(['a']), 'no_stream', true).kind, 'wrong_revision')
  t.is(decideDelete(stream(['a'], { last: TOMBSTONE }), 'any', true).kind, 'deleted')
})
