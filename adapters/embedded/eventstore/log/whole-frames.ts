import { DIGEST_BYTES, FRAME_HEAD_BYTES, HEADER_BYTES, hasDigest, ID_BYTES, readFrameHead, type SegmentHeader } from './frame.ts'
import type { SegmentWindow } from './segment-window.ts'

/** A commit that is whole. `bytes` begin with the digest before it and are valid until the next one. */
export type WholeFrame = { bytes: Buffer; offset: number; length: number; count: number; first: number }

/** Where the records of a frame begin in its `bytes`. */
export const RECORDS_AT = DIGEST_BYTES + FRAME_HEAD_BYTES

/** The commits of a segment, as long as they are whole and follow one another. */
export function* wholeFrames(window: SegmentWindow, { id, first, isRewritten }: SegmentHeader): Generator<WholeFrame> {
  let offset = HEADER_BYTES
  for (let next = first; ; ) {
    const head = window(offset, FRAME_HEAD_BYTES)
    if (!head?.subarray(0, ID_BYTES).equals(id)) return
    const frame = readFrameHead(head, 0)
    // The digest before a frame is part of what its own digest covers.
    const bytes = window(offset - DIGEST_BYTES, DIGEST_BYTES + frame.length)
    if (!bytes || frame.length < FRAME_HEAD_BYTES + DIGEST_BYTES || !hasDigest(bytes, 0, bytes.length)) return
    if (isRewritten ? frame.first < next : frame.first !== next) return
    yield { ...frame, bytes, offset }
    next = frame.first + frame.count
    offset += frame.length
  }
}

/** What the segment ended with before it was rewritten, if the frame is its last. */
export const formerDigest = ({ bytes, count }: WholeFrame): Buffer | undefined =>
  count === 0 ? Buffer.from(bytes.subarray(RECORDS_AT, RECORDS_AT + DIGEST_BYTES)) : undefined
