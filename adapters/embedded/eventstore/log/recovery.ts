import {
  DIGEST_BYTES,
  decodeHeader,
  FRAME_HEAD_BYTES,
  GENESIS,
  HEADER_BYTES,
  ID_BYTES,
  readFrameHead,
  type SegmentHeader,
} from './frame.ts'
import { LogError } from './log-error.ts'
import { recordLength } from './record.ts'
import { createSegmentWindow, type SegmentWindow } from './segment-window.ts'
import type { Storage } from './storage.ts'
import { formerDigest, RECORDS_AT, wholeFrames } from './whole-frames.ts'

/** A segment that is whole: the position of its first event, and where the bytes of its last commit end. */
export type Segment = { number: number; first: number; end: number }

/** What a log is. `head` is the position of its last event, `digest` that of its last commit; without segments it has no `id` yet. */
export type Recovered = { id: Buffer | undefined; segments: Segment[]; digest: Buffer; head: number }

/** Called for each event in order: its record is in `bytes` at `at`, and in its segment at `offset`. */
export type OnRecord = (bytes: Buffer, at: number, offset: number, position: number) => void

/**
 * Reads and verifies all of a log. A commit, or a segment, is begun only when everything before it is durable. So a crash can have damaged
 * nothing but the last one, which nobody was told is stored: that is reported and cut off. No other damage is a crash's; a segment that was
 * rewritten took its name when it was durable.
 * @throws LogError `log_corrupt`, which says where; nothing was changed then
 */
export function recover(storage: Storage, report: (line: string) => void, onRecord: OnRecord): Recovered {
  removeUnfinished(storage, report)
  const log: Recovered = { id: undefined, segments: [], digest: GENESIS, head: 0 }
  const segments = storage.segments()
  for (const [index, { number, length }] of segments.entries()) {
    if (number !== index + 1) throw corrupt(`${storage.nameOf(index + 1)} is missing; it held the events from position ${log.head + 1} on`)
    const name = storage.nameOf(number)
    const window = createSegmentWindow(storage, number, length)
    const header = openSegment(window, name, number, log)
    const { end, former } = readFrames(window, header, log, onRecord)
    log.segments.at(-1)!.end = end
    log.digest = former ?? Buffer.from(window(end - DIGEST_BYTES, DIGEST_BYTES)!)
    if (header.isRewritten) {
      if (!former || end !== length) throw corrupt(damageAt(window, name, end, log.head, findLater(window, end, length, log.id!)))
      if (index === segments.length - 1) throw corrupt(`${storage.nameOf(number + 1)} is missing; there was one when ${name} was rewritten`)
      continue
    }
    const damaged = contentEnd(window, end, length) - end
    if (damaged === 0) continue
    const later = findLater(window, end, length, log.id!)
    if (later !== undefined || index < segments.length - 1) throw corrupt(damageAt(window, name, end, log.head, later))
    storage.cut(number, end)
    report(`${name}: the last commit is torn or damaged; cut off ${damaged} bytes at offset ${end}, the last position is ${log.head}`)
  }
  return log
}

/** A segment whose header is not whole, and which holds nothing else, was just being made. */
function removeUnfinished(storage: Storage, report: (line: string) => void): void {
  const last = storage.segments().at(-1)
  if (!last) return
  const window = createSegmentWindow(storage, last.number, last.length)
  const header = window(0, HEADER_BYTES)
  if (header && (decodeHeader(header) !== 'damaged' || contentEnd(window, HEADER_BYTES, last.length) > HEADER_BYTES)) return
  storage.remove(last.number)
  report(`${storage.nameOf(last.number)}: removed, it was not made to its end and holds no events`)
}

/** Checks that a segment is the one that comes next. */
function openSegment(window: SegmentWindow, name: string, number: number, log: Recovered): SegmentHeader {
  const bytes = window(0, HEADER_BYTES)
  const header = bytes ? decodeHeader(bytes) : 'damaged'
  if (header === 'other_version') throw new LogError('log_format', `${name} was written by another version`)
  if (header === 'damaged') throw corrupt(`${name} is damaged at offset 0; it held the events from position ${log.head + 1} on`)
  const { id, first, previous } = header
  if (header.number !== number || first !== log.head + 1 || !previous.equals(log.digest) || !id.equals(log.id ?? id)) {
    throw corrupt(`${name} does not follow the segment before it, which ends with position ${log.head}`)
  }
  log.id = id
  log.segments.push({ number, first, end: HEADER_BYTES })
  return header
}

/** Reads commits as long as they are whole, and returns where they end; and the former digest of a segment that was rewritten. */
function readFrames(window: SegmentWindow, header: SegmentHeader, log: Recovered, onRecord: OnRecord): { end: number; former?: Buffer } {
  let end = HEADER_BYTES
  for (const frame of wholeFrames(window, header)) {
    const { bytes, offset, length, count, first } = frame
    let at = RECORDS_AT
    for (let index = 0; index < count; index += 1) {
      onRecord(bytes, at, offset + at - DIGEST_BYTES, first + index)
      at += recordLength(bytes, at)
    }
    log.head = first + count - 1
    end = offset + length
    const former = header.isRewritten ? formerDigest(frame) : undefined
    if (former) return { end, former }
  }
  return { end }
}

const SURVEYED_BYTES = 1024 * 1024

/** Where a commit was begun after the one at `from`, if any was. */
function findLater(window: SegmentWindow, from: number, length: number, id: Buffer): number | undefined {
  // The parts overlap, so that none can hide an id at its end.
  for (let offset = from + 1; offset < length; offset += SURVEYED_BYTES) {
    const found = window(offset, Math.min(SURVEYED_BYTES + ID_BYTES, length - offset))!.indexOf(id)
    if (found >= 0) return offset + found
  }
  return undefined
}

/** Where the zeros begin that a segment ends with: `from`, when there is nothing else after it. */
function contentEnd(window: SegmentWindow, from: number, length: number): number {
  const zeros = Buffer.alloc(Math.min(SURVEYED_BYTES, length - from))
  let end = from
  for (let offset = from; offset < length; offset += SURVEYED_BYTES) {
    const bytes = window(offset, Math.min(SURVEYED_BYTES, length - offset))!
    if (bytes.compare(zeros, 0, bytes.length) !== 0) end = offset + bytes.findLastIndex((byte) => byte !== 0) + 1
  }
  return end
}

/** `later` is where the commit after the damaged ones begins, when it is in the same segment. */
function damageAt(window: SegmentWindow, name: string, offset: number, head: number, later: number | undefined): string {
  const next = later === undefined ? undefined : window(later, FRAME_HEAD_BYTES)
  const first = next && readFrameHead(next, 0).first
  const lost = first !== undefined && first > head + 1 ? `positions ${head + 1} to ${first - 1}` : `position ${head + 1} and what follows`
  return `${name} is damaged at offset ${offset} (${lost}), and there are later commits`
}

const corrupt = (detail: string) => new LogError('log_corrupt', detail)
