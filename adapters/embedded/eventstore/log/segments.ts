import { randomBytes } from 'node:crypto'
import { createBlockCache } from './block-cache.ts'
import { DIGEST_BYTES, decodeHeader, encodeHeader, HEADER_BYTES, ID_BYTES } from './frame.ts'
import type { FrameBuffer } from './frame-buffer.ts'
import { LogError } from './log-error.ts'
import { type OnRecord, recover, type Segment } from './recovery.ts'
import { type Discards, holdsDiscarded, type Remainder, writeRemainder } from './rewriting.ts'
import type { Storage } from './storage.ts'

/** The commits of a log, one after the other. */
export type Segments = {
  /**
   * Makes a frame of `count` records durable and returns its offset. What throws was not stored.
   * @throws LogError `log_failed` once it is unknown what the storage holds
   */
  append(frame: FrameBuffer, count: number): number
  /** The bytes of the record at a position, of which the offset within its segment is known. */
  record(position: number, offset: number): Buffer
  /** Position of the last event. */
  head(): number
  /** How many bytes, roughly, there are from a record to the end. */
  bytesFrom(position: number, offset: number): number
  /** Begins a segment unless the last one is empty, and returns the numbers of those that are closed. @throws as `append` */
  closeSegment(): number[]
  /**
   * Rewrites a closed segment without some of its records. Yields between parts of the work, with all of the segment as it was; it has changed
   * when `replaced` is called, before anybody reads again. Returns how many bytes shorter it is.
   * @throws LogError when it is damaged, which leaves it as it is
   */
  rewrite(number: number, rewriting: Rewriting): Generator<void, number>
  close(): void
}

/** `discards` makes a new judge for each time that the segment is read. */
export type Rewriting = { discards(): Discards; replaced(remainder: Remainder): void }

/** The disk is full: nothing is wrong with what it holds. */
const OUT_OF_SPACE = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

/** It does not begin with a zero, since that is what stands where nothing was written. */
function newId(): Buffer {
  const id = randomBytes(ID_BYTES)
  id[0]! |= 1
  return id
}

/** Opens the segments of a storage, see `recover`. They are about `segmentBytes` long; a larger commit has a segment of its own. */
export function openSegments(storage: Storage, segmentBytes: number, report: (line: string) => void, onRecord: OnRecord): Segments {
  const recovered = recover(storage, report, onRecord)
  const { segments } = recovered
  const id = recovered.id ?? newId()
  const cache = createBlockCache(storage)
  let { digest, head } = recovered
  let failure: LogError | undefined
  if (segments.length === 0) begin(1)

  /** Begins a segment after the last one. */
  function begin(number: number): Segment {
    const header = encodeHeader({ id, number, first: head + 1, previous: digest, isRewritten: false })
    try {
      storage.create(number, header)
    } catch (error) {
      // Otherwise it would be there when the segment before it grows further.
      storage.remove(number)
      throw error
    }
    const segment = { number, first: head + 1, end: HEADER_BYTES }
    segments.push(segment)
    digest = header.subarray(HEADER_BYTES - DIGEST_BYTES)
    return segment
  }

  function segmentWithRoom(bytes: number): Segment {
    const last = segments.at(-1)!
    return last.end > HEADER_BYTES && last.end + bytes > segmentBytes ? begin(last.number + 1) : last
  }

  function closeSegment(): number[] {
    if (failure) throw failure
    const last = segments.at(-1)!
    try {
      if (last.end > HEADER_BYTES) begin(last.number + 1)
    } catch (error) {
      abandon(error)
      throw error
    }
    return segments.slice(0, -1).map(({ number }) => number)
  }

  function* rewrite(number: number, { discards, replaced }: Rewriting): Generator<void, number> {
    const segment = segments[number - 1]!
    const header = decodeHeader(cache.read(number, 0, HEADER_BYTES))
    if (typeof header === 'string') throw new LogError('log_corrupt', `${storage.nameOf(number)} is damaged at offset 0`)
    const source = { storage, segment, header }
    if (!(yield* holdsDiscarded(source, discards()))) return 0
    const replacement = storage.replace(number)
    let isFinished = false
    try {
      const remainder = yield* writeRemainder(source, discards(), replacement)
      replacement.finish()
      isFinished = true
      const freed = segment.end - remainder.length
      cache.clear()
      segment.end = remainder.length
      replaced(remainder)
      return freed
    } finally {
      if (!isFinished) replacement.abandon()
    }
  }

  function append(frame: FrameBuffer, count: number): number {
    if (failure) throw failure
    try {
      const segment = segmentWithRoom(frame.length())
      const offset = segment.end
      const bytes = frame.seal({ id, previous: digest, count, first: head + 1 })
      storage.write(segment.number, offset, bytes)
      cache.written(segment.number, offset, bytes)
      segment.end += bytes.length
      digest = Buffer.from(bytes.subarray(bytes.length - DIGEST_BYTES))
      head += count
      return offset
    } catch (error) {
      abandon(error)
      throw error
    }
  }

  /**
   * Nothing may be written after a part of a frame. And once a write has failed for another reason than space, the operating system may
   * have dropped what it could not store and claim success the next time, so that only reading everything again tells what is there.
   */
  function abandon(error: unknown): void {
    const { code } = error as NodeJS.ErrnoException
    let cause = code !== undefined && OUT_OF_SPACE.has(code) ? undefined : error
    const last = segments.at(-1)!
    try {
      storage.cut(last.number, last.end)
    } catch (again) {
      cause = again
    }
    if (cause === undefined) return
    failure = new LogError(
      'log_failed',
      `${storage.nameOf(last.number)} could not be written (${(cause as Error).message}), and nothing more is stored until a restart`,
      { cause },
    )
    report(failure.message)
  }

  const indexOf = (position: number): number => segments.findLastIndex(({ first }) => first <= position)

  return {
    append,
    record(position, offset) {
      const { number, end } = segments[indexOf(position)]!
      const length = cache.readUInt32LE(number, offset)
      if (length > end - offset) {
        throw new LogError('log_corrupt', `${storage.nameOf(number)} is damaged at offset ${offset} (position ${position})`)
      }
      return cache.read(number, offset, length)
    },
    head: () => head,
    bytesFrom(position, offset) {
      return segments.slice(indexOf(position)).reduce((bytes, { end }) => bytes + end, -offset)
    },
    closeSegment,
    rewrite,
    close: () => storage.close(),
  }
}
