import type { Manifest } from '../../domain/archive/manifest.ts'
import type { BlockHashes } from '../../domain/archive/segment-index.ts'
import { type ByteRange, type SegmentFile, SegmentUnreadable } from '../../domain/ports/archive.ts'
import { type ReadingOptions, signedContent } from './reading.ts'

/** Blocks in memory: those of a group of rows, and more. */
const REMEMBERED = 64

/**
 * The file of a segment. What is read of it is what was signed: block by block where there are hashes of them, otherwise all of it is read.
 * @throws SegmentUnreadable, NotRetrieved
 */
export async function signedSegment(
  options: Pick<ReadingOptions, 'store' | 'sha256'>,
  { segment }: Manifest,
  blocks: BlockHashes | undefined,
): Promise<SegmentFile> {
  if (blocks) return inBlocks(options, segment, blocks)
  const content = await signedContent(options, segment)
  return { bytes: content.length, read: async ({ start, end }) => content.subarray(start, end) }
}

function inBlocks(
  { store, sha256 }: Pick<ReadingOptions, 'store' | 'sha256'>,
  { name, bytes }: Manifest['segment'],
  { blockBytes, hashes }: BlockHashes,
): SegmentFile {
  const known = new Map<number, Promise<Uint8Array>>()

  async function fetched(first: number, last: number): Promise<Uint8Array> {
    const range = { start: first * blockBytes, end: Math.min((last + 1) * blockBytes, bytes) }
    const content = await store.get(name, range)
    if (content?.length === range.end - range.start) return content
    throw new SegmentUnreadable(`${name} is missing, or shorter than what was archived: verify the archive`)
  }

  /** What is missing is fetched together. */
  function blocksFrom(first: number, last: number): readonly Promise<Uint8Array>[] {
    const blocks = Array.from({ length: last - first + 1 }, (_, at) => known.get(first + at))
    const [begin, end] = [blocks.indexOf(undefined), blocks.lastIndexOf(undefined)]
    if (begin >= 0) {
      const run = fetched(first + begin, first + end)
      for (let at = begin; at <= end; at++) {
        blocks[at] = checked(run, first + at, first + begin)
        remember(first + at, blocks[at]!)
      }
    }
    return blocks as Promise<Uint8Array>[]
  }

  async function checked(run: Promise<Uint8Array>, number: number, first: number): Promise<Uint8Array> {
    const at = (number - first) * blockBytes
    const block = (await run).subarray(at, at + blockBytes)
    if (Buffer.from(sha256(block)).toString('base64') === hashes[number]) return block
    throw new SegmentUnreadable(`${name} is not what was archived: verify the archive`)
  }

  function remember(number: number, block: Promise<Uint8Array>): void {
    // Whoever asked for it hears of it.
    block.catch(() => {})
    known.set(number, block)
    if (known.size > REMEMBERED) known.delete(known.keys().next().value!)
  }

  return {
    bytes,
    async read({ start, end }: ByteRange) {
      if (end <= start) return new Uint8Array()
      const first = Math.floor(start / blockBytes)
      const parts = await Promise.all(blocksFrom(first, Math.ceil(end / blockBytes) - 1))
      const content = new Uint8Array(end - start)
      for (const [index, part] of parts.entries()) {
        const at = (first + index) * blockBytes - start
        content.set(part.subarray(Math.max(0, -at), end - start - at), Math.max(0, at))
      }
      return content
    },
  }
}
