import { DIGEST_BYTES, encodeHeader, FRAME_HEAD_BYTES, HEADER_BYTES, type SegmentHeader, writeDigest, writeFrameHead } from './frame.ts'
import { LogError } from './log-error.ts'
import { recordCreated, recordKey, recordLength } from './record.ts'
import type { Segment } from './recovery.ts'
import { createSegmentWindow } from './segment-window.ts'
import type { Replacement, Storage } from './storage.ts'
import { formerDigest, RECORDS_AT, type WholeFrame, wholeFrames } from './whole-frames.ts'

/** Whether the event of a stream, recorded at `created`, is to go. Asked once for each event of a segment, in their order. */
export type Discards = (stream: string, revision: number, created: number) => boolean

/** Records in a row that are left: their offsets within the segment are greater by `shift` now. */
export type Run = { first: number; count: number; shift: number }

/** What is left of a segment, which held the positions from `first` to before `next`, and how many records of each stream are gone. */
export type Remainder = { length: number; first: number; next: number; runs: Run[]; discarded: Map<string, number> }

/** What is read before other work has its turn. */
const TURN_BYTES = 256 * 1024
/** What is written at once. */
const WRITE_BYTES = 512 * 1024

type Source = { storage: Storage; segment: Segment; header: SegmentHeader }

/**
 * Whether a closed segment holds anything that is to go. Yields between parts of the work.
 * @throws LogError when it is damaged
 */
export function* holdsDiscarded(source: Source, discards: Discards): Generator<void, boolean> {
  for (const frame of framesOf(source)) {
    for (const { stream, revision, created } of recordsOf(frame)) if (discards(stream, revision, created)) return true
    if (isTurn(frame)) yield
  }
  return false
}

/**
 * Writes what is left of a closed segment to its replacement, which is for the caller to finish or to abandon. Each commit becomes as many
 * frames as it has records in a row. Yields between parts of the work.
 * @throws LogError when the segment is damaged
 */
export function* writeRemainder(source: Source, discards: Discards, replacement: Replacement): Generator<void, Remainder> {
  const { header, segment } = source
  const remainder: Remainder = { length: 0, first: segment.first, next: segment.first, runs: [], discarded: new Map() }
  let digest: Buffer = Buffer.alloc(0)
  let unwritten: Buffer[] = []
  let unwrittenBytes = 0

  function write(bytes: Buffer): void {
    digest = bytes.subarray(bytes.length - DIGEST_BYTES)
    remainder.length += bytes.length
    unwritten.push(bytes)
    unwrittenBytes += bytes.length
    if (unwrittenBytes >= WRITE_BYTES) flush()
  }

  function flush(): void {
    replacement.write(Buffer.concat(unwritten))
    unwritten = []
    unwrittenBytes = 0
  }

  function writeFrame(records: Buffer, count: number, first: number): void {
    const length = FRAME_HEAD_BYTES + records.length + DIGEST_BYTES
    const bytes = Buffer.allocUnsafe(DIGEST_BYTES + length)
    digest.copy(bytes)
    writeFrameHead(bytes, DIGEST_BYTES, header.id, { length, count, first })
    records.copy(bytes, RECORDS_AT)
    writeDigest(bytes, 0, bytes.length)
    write(bytes.subarray(DIGEST_BYTES))
  }

  function writeRun(
    { bytes, offset }: WholeFrame,
    { first, count, from }: { first: number; count: number; from: number },
    to: number,
  ): void {
    if (count === 0) return
    remainder.runs.push({ first, count, shift: remainder.length + RECORDS_AT - (offset + from) })
    writeFrame(bytes.subarray(from, to), count, first)
  }

  write(encodeHeader({ ...header, isRewritten: true }))
  let former: Buffer | undefined
  for (const frame of framesOf(source)) {
    former = header.isRewritten ? formerDigest(frame) : Buffer.from(frame.bytes.subarray(-DIGEST_BYTES))
    remainder.next = frame.first + frame.count
    let run = { from: RECORDS_AT, first: frame.first, count: 0 }
    for (const { stream, revision, created, position, from, to } of recordsOf(frame)) {
      if (!discards(stream, revision, created)) {
        run.count += 1
        continue
      }
      writeRun(frame, run, from)
      remainder.discarded.set(stream, (remainder.discarded.get(stream) ?? 0) + 1)
      run = { from: to, first: position + 1, count: 0 }
    }
    writeRun(frame, run, frame.bytes.length - DIGEST_BYTES)
    if (isTurn(frame)) yield
  }
  writeFrame(former ?? encodeHeader(header).subarray(-DIGEST_BYTES), 0, remainder.next)
  flush()
  return remainder
}

/** All commits of a segment. @throws LogError when one of them is not whole */
function* framesOf({ storage, segment, header }: Source): Generator<WholeFrame> {
  let end = HEADER_BYTES
  for (const frame of wholeFrames(createSegmentWindow(storage, segment.number, segment.end), header)) {
    yield frame
    end = frame.offset + frame.length
  }
  if (end !== segment.end) throw new LogError('log_corrupt', `${storage.nameOf(segment.number)} is damaged at offset ${end}`)
}

function* recordsOf({ bytes, first, count }: WholeFrame) {
  let from = RECORDS_AT
  for (let index = 0; index < count; index += 1) {
    const to = from + recordLength(bytes, from)
    yield { ...recordKey(bytes, from), created: recordCreated(bytes, from), position: first + index, from, to }
    from = to
  }
}

const isTurn = ({ offset, length }: WholeFrame): boolean => Math.floor(offset / TURN_BYTES) !== Math.floor((offset + length) / TURN_BYTES)
