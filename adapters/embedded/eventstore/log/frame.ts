import { hash } from 'node:crypto'

/**
 * The layout of a segment. All numbers are little-endian.
 *
 *   segment  header · frame · frame · … · zeros
 *   header   magic and version (8) · id of the log (16) · number of the segment (4) · position of its first event (8)
 *            · digest of the segment before it (32) · digest (32)
 *   frame    id of the log (16) · length of the whole frame (4) · count of records (4) · position of the first one (8)
 *            · records · digest (32)
 *
 * A frame is one commit. Its digest is the SHA-256 of the digest before it, which is what stands right before it, and of the frame up to
 * there; so a frame that was changed, moved, left out or torn shows. The id is random and never leaves the folder: where it stands, a
 * frame was begun, whatever clients put into their events.
 *
 * A segment that was rewritten, without records that nobody can read any more, has a version of its own. The rest keep their positions, so
 * that there are gaps between its frames. It was closed, and its last frame says so: that has no records, the position that the next segment
 * begins with, and, in the place of records, the digest that this segment ended with before, which the next one's header holds.
 */
export const HEADER_BYTES = 100
export const FRAME_HEAD_BYTES = 32
export const ID_BYTES = 16
export const DIGEST_BYTES = 32

/** The digest before the first segment. */
export const GENESIS = Buffer.alloc(DIGEST_BYTES)

const MAGIC = Buffer.from('QUORLOG')
const VERSION = 1
const REWRITTEN_VERSION = 2

/**
 * What a segment says of itself: `first` is the position of its first event as it was first written, `previous` the last digest of the
 * segment before it.
 */
export type SegmentHeader = { id: Buffer; number: number; first: number; previous: Buffer; isRewritten: boolean }

export function encodeHeader({ id, number, first, previous, isRewritten }: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES)
  MAGIC.copy(bytes)
  bytes[7] = isRewritten ? REWRITTEN_VERSION : VERSION
  id.copy(bytes, 8)
  bytes.writeUInt32LE(number, 24)
  bytes.writeDoubleLE(first, 28)
  previous.copy(bytes, 36)
  writeDigest(bytes, 0, HEADER_BYTES)
  return bytes
}

/** A header, unless it is damaged or of another version. */
export function decodeHeader(bytes: Buffer): SegmentHeader | 'damaged' | 'other_version' {
  if (!hasDigest(bytes, 0, HEADER_BYTES) || !bytes.subarray(0, 7).equals(MAGIC)) return 'damaged'
  const version = bytes[7]
  if (version !== VERSION && version !== REWRITTEN_VERSION) return 'other_version'
  return {
    id: Buffer.from(bytes.subarray(8, 24)),
    number: bytes.readUInt32LE(24),
    first: bytes.readDoubleLE(28),
    previous: Buffer.from(bytes.subarray(36, 68)),
    isRewritten: version === REWRITTEN_VERSION,
  }
}

/** What a frame's head says; whether it is true is for `isWhole` to say. */
export type FrameHead = { length: number; count: number; first: number }

export function writeFrameHead(bytes: Buffer, at: number, id: Buffer, { length, count, first }: FrameHead): void {
  id.copy(bytes, at)
  bytes.writeUInt32LE(length, at + 16)
  bytes.writeUInt32LE(count, at + 20)
  bytes.writeDoubleLE(first, at + 24)
}

export const readFrameHead = (bytes: Buffer, at: number): FrameHead => ({
  length: bytes.readUInt32LE(at + 16),
  count: bytes.readUInt32LE(at + 20),
  first: bytes.readDoubleLE(at + 24),
})

/** The digests below cover `bytes` from `start` to `end`, where they take the last 32. */
export function writeDigest(bytes: Buffer, start: number, end: number): void {
  bytes.write(digestOf(bytes, start, end), end - DIGEST_BYTES, 'latin1')
}

export function hasDigest(bytes: Buffer, start: number, end: number): boolean {
  return bytes.toString('latin1', end - DIGEST_BYTES, end) === digestOf(bytes, start, end)
}

/** As text, which takes half the time that a buffer does. */
const digestOf = (bytes: Buffer, start: number, end: number): string => hash('sha256', bytes.subarray(start, end - DIGEST_BYTES), 'binary')
