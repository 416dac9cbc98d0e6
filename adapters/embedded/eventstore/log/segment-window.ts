import type { Storage } from './storage.ts'

/** The bytes of a segment from `offset` on, or nothing when it has fewer. They are valid until the next call. */
export type SegmentWindow = (offset: number, bytes: number) => Buffer | undefined

const WINDOW_BYTES = 4 * 1024 * 1024

/** Reads a segment from its start to its end in large parts. */
export function createSegmentWindow(storage: Storage, segment: number, length: number): SegmentWindow {
  let buffer = Buffer.allocUnsafe(Math.min(WINDOW_BYTES, length))
  let start = 0
  let end = 0
  return (offset, bytes) => {
    if (offset + bytes > length) return undefined
    if (offset < start || offset + bytes > end) {
      if (bytes > buffer.length) buffer = Buffer.allocUnsafe(bytes)
      start = offset
      end = offset + storage.read(segment, offset, buffer)
      if (offset + bytes > end) throw new Error(`${storage.nameOf(segment)} became shorter while it was read`)
    }
    return buffer.subarray(offset - start, offset - start + bytes)
  }
}
