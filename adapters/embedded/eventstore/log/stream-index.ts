import { createColumn } from './column.ts'
import { type Direction, NO_STREAM, TOMBSTONE } from './event.ts'

/**
 * Where the events of each stream are. An event costs four bytes, the position of the next one in its stream; every 64th is marked, so
 * that a read may begin anywhere. Events are discarded from a stream's beginning only, so that there is no gap within one.
 */
export type StreamIndex = {
  /** NO_STREAM, TOMBSTONE, or the revision of the last event. */
  lastRevision(stream: string): number
  /** Of the first event that was not discarded; NO_STREAM when there is none. */
  firstRevision(stream: string): number
  /**
   * Adds the event at a position after the last one added, by default the next. Its revision is the next one of the stream, or TOMBSTONE; the
   * first one of a stream says how many were discarded.
   */
  add(stream: string, revision: number, position?: number): void
  /** There are no events up to a position but those that were added. */
  skipTo(position: number): void
  /** Forgets the first events of a stream. */
  discardFirst(stream: string, count: number): void
  /** Takes back the event that was added last. `before` is what `lastPosition` was until then. */
  takeBack(stream: string, before: number): void
  /** 0 when the stream has no event. */
  lastPosition(stream: string): number
  /** Positions of at most `most` events from revision `from` (inclusive) on, in the order of the read. */
  positions(stream: string, from: number, direction: Direction, most: number): number[]
}

const MARKED_EVERY = 64

/** Of `count` events the first ones were `discarded`. `marks` has the positions of the 65th event, the 129th and so on, unless that was. */
type Entry = { count: number; discarded: number; first: number; last: number; tombstoned: boolean; marks: number[] | undefined }

export function createStreamIndex(): StreamIndex {
  const entries = new Map<string, Entry>()
  const next = createColumn()
  let head = 0
  // Positions begin with 1.
  next.push(0)

  const revisionOfLast = ({ count, tombstoned }: Entry): number => (tombstoned ? TOMBSTONE : count - 1)

  function skipTo(position: number): void {
    while (head < position) {
      head += 1
      next.push(0)
    }
  }

  function add(stream: string, revision: number, position = head + 1): void {
    skipTo(position)
    const entry = entries.get(stream)
    if (!entry) {
      const tombstoned = revision === TOMBSTONE
      const discarded = tombstoned ? 0 : revision
      entries.set(stream, { count: discarded + 1, discarded, first: head, last: head, tombstoned, marks: undefined })
      return
    }
    if (entry.count % MARKED_EVERY === 0) {
      entry.marks ??= []
      entry.marks[entry.count / MARKED_EVERY - 1] = head
    }
    next.set(entry.last, head)
    entry.last = head
    entry.count += 1
    entry.tombstoned = revision === TOMBSTONE
  }

  function takeBack(stream: string, before: number): void {
    next.truncate(head)
    head -= 1
    const entry = entries.get(stream)!
    entry.count -= 1
    entry.last = before
    entry.tombstoned = false
    if (entry.count === entry.discarded) entries.delete(stream)
    else if (entry.count % MARKED_EVERY === 0) entry.marks?.pop()
  }

  /** Positions of the events from number `start` to `end` (exclusive), which counts the tombstone too. */
  function range({ first, discarded, marks }: Entry, start: number, end: number): number[] {
    if (start >= end) return []
    const found: number[] = []
    const marked = start - (start % MARKED_EVERY)
    const isBeyond = marked > discarded
    let position = isBeyond ? marks![marked / MARKED_EVERY - 1]! : first
    for (let number = isBeyond ? marked : discarded; number < end; number += 1) {
      if (number >= start) found.push(position)
      position = next.get(position)
    }
    return found
  }

  function positions(stream: string, from: number, direction: Direction, most: number): number[] {
    const entry = entries.get(stream)
    if (!entry) return []
    const { count, discarded, tombstoned, last } = entry
    const ends = from >= revisionOfLast(entry)
    if (direction === 'forwards') {
      // After the last ordinary event there is the tombstone, or nothing.
      const start = Math.max(discarded, tombstoned ? Math.min(from, count - 1) : from)
      return range(entry, start, Math.min(count, start + most))
    }
    if (ends && most === 1) return [last]
    const end = ends ? count : Math.min(from + 1, tombstoned ? count - 1 : count)
    return range(entry, Math.max(discarded, end - most), end).reverse()
  }

  return {
    lastRevision(stream) {
      const entry = entries.get(stream)
      return entry ? revisionOfLast(entry) : NO_STREAM
    },
    firstRevision(stream) {
      const entry = entries.get(stream)
      return entry ? entry.discarded : NO_STREAM
    },
    add,
    skipTo,
    discardFirst(stream, count) {
      const entry = entries.get(stream)!
      for (let event = 0; event < count; event += 1) entry.first = next.get(entry.first)
      entry.discarded += count
      if (entry.discarded === entry.count) entries.delete(stream)
    },
    takeBack,
    lastPosition: (stream) => entries.get(stream)?.last ?? 0,
    positions,
  }
}
