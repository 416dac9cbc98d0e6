import { DIGEST_BYTES, FRAME_HEAD_BYTES, writeDigest, writeFrameHead } from './frame.ts'
import { encodedLength, encodeRecord, type NewRecord, recordLength } from './record.ts'

/** The next frame while records are added to it. Offsets count from its start. */
export type FrameBuffer = {
  /** How long the frame is with what it holds. */
  length(): number
  /** Returns the record's offset. */
  add(record: NewRecord): number
  /** A copy of the record at `offset`. */
  record(offset: number): Buffer
  /** Takes back everything from the record at `offset` on. */
  cut(offset: number): void
  /** The finished frame, which is valid until the next change. */
  seal(frame: { id: Buffer; previous: Buffer; count: number; first: number }): Buffer
  clear(): void
}

/** The digest before the frame stands before it here too, since the frame's own covers it. */
const START = DIGEST_BYTES
const EMPTY = START + FRAME_HEAD_BYTES

const FIRST_BYTES = 64 * 1024
/** Room that is kept from one frame to the next. */
const KEPT_BYTES = 4 * 1024 * 1024

export function createFrameBuffer(): FrameBuffer {
  let bytes = Buffer.allocUnsafe(FIRST_BYTES)
  let end = EMPTY

  function ensure(room: number): void {
    if (end + room <= bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(end + room, 2 * bytes.length))
    bytes.copy(larger, 0, 0, end)
    bytes = larger
  }

  return {
    length: () => end - START + DIGEST_BYTES,
    add(record) {
      const at = end
      ensure(encodedLength(record) + DIGEST_BYTES)
      end = encodeRecord(bytes, at, record)
      return at - START
    },
    record(offset) {
      const at = START + offset
      return Buffer.from(bytes.subarray(at, at + recordLength(bytes, at)))
    },
    cut(offset) {
      end = START + offset
    },
    seal({ id, previous, count, first }) {
      const length = end - START + DIGEST_BYTES
      previous.copy(bytes)
      writeFrameHead(bytes, START, id, { length, count, first })
      writeDigest(bytes, 0, START + length)
      return bytes.subarray(START, START + length)
    },
    clear() {
      end = EMPTY
      if (bytes.length > KEPT_BYTES) bytes = Buffer.allocUnsafe(FIRST_BYTES)
    },
  }
}
