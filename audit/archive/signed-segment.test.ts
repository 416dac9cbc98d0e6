import test from 'ava'
import fc from 'fast-check'
import type { Manifest } from '../../domain/archive/manifest.ts'
import { type ByteRange, SegmentUnreadable } from '../../domain/ports/archive.ts'
import { sha256 } from '../testing/sha256.ts'
import { signedSegment } from './signed-segment.ts'

const BLOCK_BYTES = 10
const SIGNED = Uint8Array.from({ length: 1_234 }, (_, at) => (at * 7) % 251)
const SEGMENT = { segment: { name: 'segments/0.parquet', bytes: SIGNED.length, sha256: sha256(SIGNED) } } as Manifest
const BLOCKS = {
  blockBytes: BLOCK_BYTES,
  hashes: Array.from({ length: Math.ceil(SIGNED.length / BLOCK_BYTES) }, (_, block) =>
    Buffer.from(sha256(SIGNED.subarray(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES))).toString('base64'),
  ),
}

/** Where there is this instead. */
function stored(content: Uint8Array | undefined) {
  const fetched: (ByteRange | undefined)[] = []
  const get = async (_: string, range?: ByteRange) => {
    fetched.push(range)
    return range ? content?.subarray(range.start, range.end) : content
  }
  return { store: { get } as never, sha256, fetched }
}

const aRange = fc
  .tuple(fc.nat(SIGNED.length), fc.nat(SIGNED.length))
  .map(([one, other]): ByteRange => ({ start: Math.min(one, other), end: Math.max(one, other) }))

test('parts are those of the file, whatever was read before', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(aRange, { maxLength: 20 }), async (ranges) => {
      const [inBlocks, whole] = [
        await signedSegment(stored(SIGNED), SEGMENT, BLOCKS),
        await signedSegment(stored(SIGNED), SEGMENT, undefined),
      ]
      for (const file of [inBlocks, whole]) {
        const parts = await Promise.all(ranges.map((range) => file.read(range)))
        for (const [index, { start, end }] of ranges.entries()) t.deepEqual(Uint8Array.from(parts[index]!), SIGNED.slice(start, end))
      }
    }),
    { numRuns: 50 },
  )
})

test('no more is fetched than the blocks that are asked for, and none twice that is remembered', async (t) => {
  const source = stored(SIGNED)
  const file = await signedSegment(source, SEGMENT, BLOCKS)
  await file.read({ start: 25, end: 41 })
  await file.read({ start: 20, end: 60 })
  await file.read({ start: 1_230, end: 1_234 })
  t.deepEqual(source.fetched, [
    { start: 20, end: 50 },
    { start: 50, end: 60 },
    { start: 1_230, end: 1_234 },
  ])
})

test('a byte that was changed is refused by whoever reads its block, and is nothing to others', async (t) => {
  const changed = SIGNED.map((byte, at) => (at === 57 ? byte ^ 1 : byte))
  const file = await signedSegment(stored(changed), SEGMENT, BLOCKS)
  t.deepEqual(await file.read({ start: 60, end: 70 }), SIGNED.slice(60, 70))
  for (const range of [
    { start: 50, end: 51 },
    { start: 0, end: 1_234 },
    { start: 59, end: 65 },
  ])
    await t.throwsAsync(file.read(range), { instanceOf: SegmentUnreadable })
  await t.throwsAsync(signedSegment(stored(changed), SEGMENT, undefined), { instanceOf: SegmentUnreadable })
})

test('a file that was cut off, is missing, or has blocks without a hash is refused', async (t) => {
  const last = { start: 1_200, end: 1_234 }
  for (const content of [SIGNED.subarray(0, 1_233), undefined])
    await t.throwsAsync((await signedSegment(stored(content), SEGMENT, BLOCKS)).read(last), { instanceOf: SegmentUnreadable })
  const fewer = { ...BLOCKS, hashes: BLOCKS.hashes.slice(0, -1) }
  await t.throwsAsync((await signedSegment(stored(SIGNED), SEGMENT, fewer)).read(last), { instanceOf: SegmentUnreadable })
})
