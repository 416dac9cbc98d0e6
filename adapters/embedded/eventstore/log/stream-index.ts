import { createColumn } from './column.ts'
import { type Direction, NO_STREAM, TOMBSTONE } from './event.ts'

/**
 * Where the events of each stream are. An event costs four bytes, the position of the next one in its stream; every 64th is marked, so
 * that a read may begin anywhere.
 */
export type StreamIndex = {
  /** NO_STREAM, TOMBSTONE, or the revision of the last event. */
  lastRevision(stream: string): number
  /** Adds the event at the position after the last one added. Its revision is the next one of the stream, or TOMBSTONE. */
  add(stream: string, revision: number): void
  /** Takes back the event that was added last. `before` is what `lastPosition` was until then. */
  takeBack(stream: string, before: number): void
  /** 0 when the stream has no event. */
  lastPosition(stream: string): number
  /** Positions of at most `most` events from revision `from` (inclusive) on, in the order of the read. */
  positions(stream: string, from: number, direction: Direction, most: number): number[]
}

const MARKED_EVERY = 64

/** `marks` has the positions of the 65th event, the 129th and so on. */
type Entry = { count: number; first: number; last: number; tombstoned: boolean; marks: number[] | undefined }

export function createStreamIndex(): StreamIndex {
  const entries = new Map<string, Entry>()
  const next = createColumn()
  let head = 0
  // Positions begin with 1.
  next.push(0)

  const revisionOfLast = ({ count, tombstoned }: Entry): number => (tombstoned ? TOMBSTONE : count - 1)

  function add(stream: string, revision: number): void {
    head += 1
    next.push(0)
    const entry = entries.get(stream)
    if (!entry) {
      entries.set(stream, { count: 1, first: head, last: head, tombstoned: revision === TOMBSTONE, marks: undefined })
      return
    }
    if (entry.count % MARKED_EVERY === 0) {
      entry.marks ??= []
      entry.marks.push(head)
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
    if (entry.count === 0) entries.delete(stream)
    else if (entry.count % MARKED_EVERY === 0) entry.marks?.pop()
  }

  /** Positions of the events from number `start` to `end` (exclusive), which counts the tombstone too. */
  function range({ first, marks }: Entry, start: number, end: number): number[] {
    if (start >= end) return []
    const found: number[] = []
    const mark = Math.floor(start / MARKED_EVERY)
    let position = mark === 0 ? first : marks![mark - 1]!
    for (let number = mark * MARKED_EVERY; number < end; number += 1) {
      if (number >= start) found.push(position)
      position = next.get(position)
    }
    return found
  }

  function positions(stream: string, from: number, direction: Direction, most: number): number[] {
    const entry = entries.get(stream)
    if (!entry) return []
    const { count, tombstoned, last } = entry
    const ends = from >= revisionOfLast(entry)
    if (direction === 'forwards') {
      // After the last ordinary event there is the tombstone, or nothing.
      const start = tombstoned ? Math.min(from, count - 1) : from
      return range(entry, start, Math.min(count, start + most))
    }
    if (ends && most === 1) return [last]
    const end = ends ? count : Math.min(from + 1, tombstoned ? count - 1 : count)
    return range(entry, Math.max(0, end - most), end).reverse()
  }

  return {
    lastRevision(stream) {
      const entry = entries.get(stream)
      return entry ? revisionOfLast(entry) : NO_STREAM
    },
    add,
    takeBack,
    lastPosition: (stream) => entries.get(stream)?.last ?? 0,
    positions,
  }
}
