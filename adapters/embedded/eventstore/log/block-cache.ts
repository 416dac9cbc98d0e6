import { createBoundedMap } from './bounded-map.ts'
import type { Storage } from './storage.ts'

/** Reads of a storage through a cache of bounded size. */
export type BlockCache = {
  /** A copy, so that a few bytes that somebody keeps do not keep a block. It is shorter when the segment ends before. */
  read(segment: number, offset: number, length: number): Buffer
  readUInt32LE(segment: number, offset: number): number
  /** Must be told of every write: what was just written is what is read most. */
  written(segment: number, offset: number, bytes: Uint8Array): void
  /** Must be told when a segment was replaced. */
  clear(): void
}

const BLOCK_BYTES = 64 * 1024
/** 16 MiB at most. */
const MOST_BLOCKS = 256
const BLOCKS_PER_SEGMENT = 2 ** 16

/** A block of which the first `length` bytes are known. */
type Block = { bytes: Buffer; length: number }

export function createBlockCache(storage: Storage): BlockCache {
  let blocks = createBoundedMap<number, Block>(MOST_BLOCKS)
  const keyOf = (segment: number, index: number) => segment * BLOCKS_PER_SEGMENT + index

  function blockOf(segment: number, index: number): Block {
    const key = keyOf(segment, index)
    const cached = blocks.get(key)
    if (cached) return cached
    const bytes = Buffer.allocUnsafe(BLOCK_BYTES)
    const block = { bytes, length: storage.read(segment, index * BLOCK_BYTES, bytes) }
    blocks.set(key, block)
    return block
  }

  function read(segment: number, offset: number, length: number): Buffer {
    const target = Buffer.allocUnsafe(length)
    if (length > BLOCK_BYTES) return target.subarray(0, storage.read(segment, offset, target))
    for (let done = 0; done < length; ) {
      const { bytes, length: known } = blockOf(segment, Math.floor((offset + done) / BLOCK_BYTES))
      const from = (offset + done) % BLOCK_BYTES
      const copied = bytes.copy(target, done, from, Math.min(known, from + length - done))
      if (copied === 0) return target.subarray(0, done)
      done += copied
    }
    return target
  }

  return {
    read,
    readUInt32LE(segment, offset) {
      const { bytes, length } = blockOf(segment, Math.floor(offset / BLOCK_BYTES))
      const from = offset % BLOCK_BYTES
      return from + 4 <= length ? bytes.readUInt32LE(from) : read(segment, offset, 4).readUInt32LE(0)
    },
    written(segment, offset, bytes) {
      for (let done = 0; done < bytes.length; ) {
        const index = Math.floor((offset + done) / BLOCK_BYTES)
        const from = (offset + done) % BLOCK_BYTES
        const part = bytes.subarray(done, done + BLOCK_BYTES - from)
        const block = blocks.get(keyOf(segment, index))
        if (block && from <= block.length) {
          block.bytes.set(part, from)
          block.length = Math.max(block.length, from + part.length)
        }
        done += part.length
      }
    },
    clear() {
      blocks = createBoundedMap(MOST_BLOCKS)
    },
  }
}
