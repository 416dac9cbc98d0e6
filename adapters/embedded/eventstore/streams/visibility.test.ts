import test from 'ava'
import { DELETED_METADATA, parseMetadata, undeleted } from './stream-metadata.ts'
import { isDeleted } from './stream-state.ts'
import { visibleEvents } from './visibility.ts'

const parse = (value: unknown) => parseMetadata(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)))

test('the stricter of truncation and largest count decides where a stream begins', (t) => {
  t.is(visibleEvents({ maxCount: 2, truncateBefore: 5 }, 9, 0).first, 8)
  t.is(visibleEvents({ maxCount: 5, truncateBefore: 9 }, 9, 0).first, 9)
  t.is(visibleEvents({ maxCount: 50 }, 9, 0).first, 0)
})

test('the largest age is in seconds', (t) => {
  t.is(visibleEvents({ maxAge: 2 }, 9, 10_000).since, 8_000)
})

test('metadata that is no object, or has a property of the wrong kind, is none', (t) => {
  for (const bad of ['not json', [1], { $maxCount: 'three', $tb: 1 }, { $maxCount: 0 }, { $maxCount: -1 }, { $tb: -1 }])
    t.deepEqual(parse(bad), {})
  t.deepEqual(parse({ $maxCount: 3, $maxAge: 4, $tb: 5, own: 1 }), { maxCount: 3, maxAge: 4, truncateBefore: 5 })
})

test('a deleted stream is brought back with the rest of its metadata', (t) => {
  t.true(isDeleted(parse(DELETED_METADATA)))
  t.deepEqual(JSON.parse(undeleted(Buffer.from('{"own":1,"$tb":9223372036854775807}'), 3).toString()), { own: 1, $tb: 3 })
})
