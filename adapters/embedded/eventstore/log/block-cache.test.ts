import test from 'ava'
import fc from 'fast-check'
import { createBlockCache } from './block-cache.ts'
import { createMemoryStorage } from './memory-storage.ts'

const SEGMENT_BYTES = 300_000

test('what is read through the cache is what the storage holds, also right after it was written', (t) => {
  const storage = createMemoryStorage()
  const cache = createBlockCache(storage)
  const expected = [Buffer.alloc(0), Buffer.alloc(0), Buffer.alloc(0)]
  for (const segment of expected.keys()) storage.create(segment, Buffer.alloc(0))
  const step = fc.record({
    segment: fc.integer({ min: 0, max: 2 }),
    written: fc.integer({ min: 1, max: 100_000 }),
    from: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.oneof(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 150_000 })),
  })
  for (const [number, { segment, written, from, length }] of fc.sample(step, 300).entries()) {
    if (expected[segment]!.length < SEGMENT_BYTES) {
      const bytes = Buffer.alloc(written, number)
      storage.write(segment, expected[segment]!.length, bytes)
      cache.written(segment, expected[segment]!.length, bytes)
      expected[segment] = Buffer.concat([expected[segment]!, bytes])
    }
    const content = expected[segment]!
    const offset = Math.floor(from * content.length)
    t.true(cache.read(segment, offset, length).equals(content.subarray(offset, offset + length)))
    const at = Math.min(offset, content.length - 4)
    if (at >= 0) t.is(cache.readUInt32LE(segment, at), content.readUInt32LE(at))
  }
})
