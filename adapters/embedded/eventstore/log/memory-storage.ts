import type { Storage } from './storage.ts'

const FIRST_BYTES = 64 * 1024

type Segment = { bytes: Buffer; length: number }

/** Segments in memory, gone with the process. */
export function createMemoryStorage(): Storage {
  const segments = new Map<number, Segment>()

  function segmentOf(number: number): Segment {
    const segment = segments.get(number)
    if (!segment) throw new Error(`there is no segment ${number}`)
    return segment
  }

  function write(number: number, offset: number, bytes: Uint8Array): void {
    const segment = segmentOf(number)
    const end = offset + bytes.length
    if (end > segment.bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(end, 2 * segment.bytes.length))
      segment.bytes.copy(larger, 0, 0, segment.length)
      segment.bytes = larger
    }
    segment.bytes.set(bytes, offset)
    segment.length = Math.max(segment.length, end)
  }

  return {
    segments: () => [...segments].map(([number, { length }]) => ({ number, length })).sort((a, b) => a.number - b.number),
    nameOf: (number) => `segment ${number} in memory`,
    read(number, offset, target) {
      const { bytes, length } = segmentOf(number)
      return bytes.copy(target, 0, offset, Math.min(length, offset + target.length))
    },
    create(number, bytes) {
      segments.set(number, { bytes: Buffer.allocUnsafe(FIRST_BYTES), length: 0 })
      write(number, 0, bytes)
    },
    write,
    cut(number, length) {
      const segment = segmentOf(number)
      segment.length = Math.min(segment.length, length)
    },
    remove: (number) => void segments.delete(number),
    replace(number) {
      const parts: Uint8Array[] = []
      return {
        write: (bytes) => void parts.push(Buffer.from(bytes)),
        finish() {
          const bytes = Buffer.concat(parts)
          segments.set(number, { bytes, length: bytes.length })
        },
        abandon() {},
      }
    },
    close() {},
  }
}
