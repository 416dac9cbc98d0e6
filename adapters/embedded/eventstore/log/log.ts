import { createBoundedMap } from './bounded-map.ts'
import { createColumn } from './column.ts'
import { type Appended, type Direction, type ProposedEvent, type RecordedEvent, TOMBSTONE } from './event.ts'
import { createFrameBuffer } from './frame-buffer.ts'
import { decodeRecord, recordKey } from './record.ts'
import type { Discards } from './rewriting.ts'
import { openSegments } from './segments.ts'
import type { Storage } from './storage.ts'
import { createStreamIndex } from './stream-index.ts'

/** What a commit changed. */
export type Commit = { streams: ReadonlySet<string>; head: number }

/** Some events in the order of the read; `next` is where the following page begins, absent when there is none. */
export type Page = { events: RecordedEvent[]; next: number | undefined }

export type Log = {
  /** Position of the last event, 0 when there is none. */
  head(): number
  /** NO_STREAM, TOMBSTONE, or the revision of the last event. */
  lastRevision(stream: string): number
  /** From revision `from` (inclusive) in either direction, at most `most` events and as many as fit into a page. */
  readStream(stream: string, from: number, direction: Direction, most: number): Page
  /** The same from position `from`. */
  readAll(from: number, direction: Direction, most: number): Page
  /** Where a recently appended event is, by its id. The last one when it was appended more than once. */
  revisionOf(stream: string, id: string): number | undefined
  /**
   * Runs `work`, which may append. What it appends can be read at once, and must be followed by `commit` before anybody else reads. When it
   * throws, what it appended is taken back.
   */
  stage<T>(work: () => T): T
  /** Within `stage` only. */
  append(stream: string, events: readonly ProposedEvent[], created: number): Appended
  /** Within `stage` only. Ends the stream. */
  tombstone(stream: string, event: ProposedEvent, created: number): Appended
  /** Bytes that the next commit will write. */
  stagedBytes(): number
  /** Makes durable what was staged. When it throws, nothing of that was stored. */
  commit(): Commit
  /** Begins a segment unless the last one is empty, and returns the numbers of those that are closed, in ascending order. */
  closeSegment(): number[]
  /**
   * Removes from a closed segment the events for which `discards` says so, as far as all earlier ones of their streams are gone, too. What is
   * left keeps its revision and position. Yields between parts of the work, during which anything may be read and appended; events go all
   * together and durably, at its end. Returns how many went, and how many bytes shorter the segment is.
   * @throws LogError when the segment is damaged, and nothing was changed
   */
  rewrite(segment: number, discards: Discards): Generator<void, { events: number; bytes: number }>
  close(): void
}

type Staged = { stream: string; id: string; offset: number; before: number }

const SEGMENT_BYTES = 128 * 1024 * 1024

/** A page holds events of about so many bytes, or a single larger one. */
const PAGE_BYTES = 256 * 1024
const PAGE_EVENTS = 1024

/** Ids of so many events are remembered; after a restart, of those within so many bytes. */
const RECENT_IDS = 131_072
const RECENT_BYTES = 128 * 1024 * 1024

/**
 * The log of all streams in a storage, which closes with it. What is in memory is about eight bytes for each event and a few hundred for
 * each stream; it is made by reading the whole log when that opens.
 * @throws LogError, and the storage is closed
 */
export function openLog(storage: Storage, report: (line: string) => void, segmentBytes = SEGMENT_BYTES): Log {
  try {
    return createLog(storage, report, segmentBytes)
  } catch (error) {
    storage.close()
    throw error
  }
}

function createLog(storage: Storage, report: (line: string) => void, segmentBytes: number): Log {
  const index = createStreamIndex()
  /** Of each event's record within its segment, by position; 0 where the event is gone. */
  const offsets = createColumn()
  offsets.push(0)
  let located = 0
  const skipTo = (position: number) => {
    for (; located < position; located += 1) offsets.push(0)
  }
  const segments = openSegments(storage, segmentBytes, report, (bytes, at, offset, position) => {
    const { stream, revision } = recordKey(bytes, at)
    index.add(stream, revision, position)
    skipTo(position - 1)
    offsets.push(offset)
    located = position
  })
  skipTo(segments.head())
  index.skipTo(segments.head())
  const recentIds = createBoundedMap<string, number>(RECENT_IDS)
  const frame = createFrameBuffer()
  let staged: Staged[] = []
  let stagedIds = new Map<string, number>()

  const head = () => segments.head() + staged.length

  function recall(): void {
    let first = segments.head() + 1
    const isRecent = (position: number) =>
      segments.head() - position < RECENT_IDS / 2 && segments.bytesFrom(position, offsets.get(position)) < RECENT_BYTES
    while (first > 1 && isRecent(first - 1)) first -= 1
    for (let position = first; position <= segments.head(); position += 1)
      if (isThere(position)) recentIds.set(eventAt(position).id, position)
  }

  const isThere = (position: number): boolean => position > segments.head() || offsets.get(position) > 0

  function eventAt(position: number): RecordedEvent {
    const stored = segments.head()
    return decodeRecord(
      position > stored ? frame.record(staged[position - stored - 1]!.offset) : segments.record(position, offsets.get(position)),
      position,
    )
  }

  function stageEvent(stream: string, name: Buffer, revision: number, event: ProposedEvent, created: number): void {
    const before = index.lastPosition(stream)
    const offset = frame.add({ stream: name, type: Buffer.from(event.type), revision, created, event })
    index.add(stream, revision)
    staged.push({ stream, id: event.id, offset, before })
    stagedIds.set(event.id, head())
  }

  function append(stream: string, events: readonly ProposedEvent[], created: number): Appended {
    const name = Buffer.from(stream)
    let revision = index.lastRevision(stream)
    for (const event of events) {
      revision += 1
      stageEvent(stream, name, revision, event, created)
    }
    return { revision, position: head() }
  }

  function tombstone(stream: string, event: ProposedEvent, created: number): Appended {
    stageEvent(stream, Buffer.from(stream), TOMBSTONE, event, created)
    return { revision: TOMBSTONE, position: head() }
  }

  /** Takes back all that was staged but the first `kept` events. */
  function unstage(kept: number): void {
    for (let last = staged.pop(); last !== undefined; last = staged.pop()) {
      index.takeBack(last.stream, last.before)
      frame.cut(last.offset)
      if (staged.length === kept) break
    }
    stagedIds = new Map(staged.map(({ id }, number) => [id, segments.head() + 1 + number]))
  }

  function stage<T>(work: () => T): T {
    const before = staged.length
    try {
      return work()
    } catch (error) {
      if (staged.length > before) unstage(before)
      throw error
    }
  }

  function commit(): Commit {
    if (staged.length > 0) {
      let start: number
      try {
        start = segments.append(frame, staged.length)
      } catch (error) {
        unstage(0)
        throw error
      }
      for (const { offset } of staged) offsets.push(start + offset)
      for (const [id, position] of stagedIds) recentIds.set(id, position)
    }
    const streams = new Set(staged.map(({ stream }) => stream))
    staged = []
    stagedIds.clear()
    frame.clear()
    return { streams, head: head() }
  }

  /** The events at successive positions, until a page is full. */
  function page(positions: Iterable<number>, most: number): RecordedEvent[] {
    const events: RecordedEvent[] = []
    let bytes = 0
    for (const position of positions) {
      if (events.length === most || bytes >= PAGE_BYTES) break
      if (!isThere(position)) continue
      const event = eventAt(position)
      events.push(event)
      bytes += event.data.length + event.metadata.length
    }
    return events
  }

  function readStream(stream: string, from: number, direction: Direction, most: number): Page {
    const wanted = Math.min(most, PAGE_EVENTS)
    const events = page(index.positions(stream, from, direction, wanted), wanted)
    const end = direction === 'forwards' ? index.lastRevision(stream) : 0
    return { events, next: following(events.at(-1)?.revision, end, direction) }
  }

  function readAll(from: number, direction: Direction, most: number): Page {
    const positions = direction === 'forwards' ? upwards(Math.max(1, from), head()) : downwards(Math.min(from, head()))
    const events = page(positions, Math.min(most, PAGE_EVENTS))
    return { events, next: following(events.at(-1)?.position, direction === 'forwards' ? head() : 1, direction) }
  }

  /** Judges the events of one segment: what stays protects what comes after it in its stream. */
  function inOrder(discards: Discards): Discards {
    const next = new Map<string, number>()
    return (stream, revision, created) => {
      const isNext = revision === (next.get(stream) ?? index.firstRevision(stream))
      if (!isNext || !discards(stream, revision, created)) return false
      next.set(stream, revision + 1)
      return true
    }
  }

  function* rewrite(segment: number, discards: Discards): Generator<void, { events: number; bytes: number }> {
    let events = 0
    const bytes = yield* segments.rewrite(segment, {
      discards: () => inOrder(discards),
      replaced({ first, next, runs, discarded }) {
        let position = first
        for (const run of runs) {
          for (; position < run.first; position += 1) offsets.set(position, 0)
          for (; position < run.first + run.count; position += 1) offsets.set(position, offsets.get(position) + run.shift)
        }
        for (; position < next; position += 1) offsets.set(position, 0)
        for (const [stream, count] of discarded) {
          index.discardFirst(stream, count)
          events += count
        }
      },
    })
    return { events, bytes }
  }

  recall()
  return {
    head,
    lastRevision: index.lastRevision,
    readStream,
    readAll,
    revisionOf(stream, id) {
      const position = stagedIds.get(id) ?? recentIds.get(id)
      const event = position === undefined || !isThere(position) ? undefined : eventAt(position)
      return event?.stream === stream ? event.revision : undefined
    },
    stage,
    append,
    tombstone,
    stagedBytes: frame.length,
    commit,
    closeSegment: segments.closeSegment,
    rewrite,
    close: segments.close,
  }
}

/** Where a read goes on after `last`, the end being `end`. */
function following(last: number | undefined, end: number, direction: Direction): number | undefined {
  if (last === undefined || last === end) return undefined
  return direction === 'forwards' ? last + 1 : last - 1
}

function* upwards(first: number, last: number): Generator<number> {
  for (let position = first; position <= last; position += 1) yield position
}

function* downwards(first: number): Generator<number> {
  for (let position = first; position >= 1; position -= 1) yield position
}
