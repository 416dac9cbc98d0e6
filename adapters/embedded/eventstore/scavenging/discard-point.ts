import { NO_STREAM, originOf, TOMBSTONE } from '../log/event.ts'
import type { Log } from '../log/log.ts'
import type { Discards } from '../log/rewriting.ts'
import { metadataOf } from '../streams/stream-state.ts'
import { visibleEvents } from '../streams/visibility.ts'

/**
 * The first revision of a stream that a scavenge keeps, as in EventStoreDB 23.10 (TransactionLog/Scavenging): of what no read of the stream may
 * show everything goes but its last event, from which it is numbered on. A tombstoned stream is left with its tombstone and loses its
 * metadata; a metastream is left with its newest event. `now` in milliseconds.
 */
function discardPoint(log: Log, stream: string, now: number): number {
  const last = log.lastRevision(stream)
  if (last === NO_STREAM || last === TOMBSTONE) return last
  const origin = originOf(stream)
  if (origin !== undefined) return log.lastRevision(origin) === TOMBSTONE ? TOMBSTONE : last
  const { first, since } = visibleEvents(metadataOf(log, stream), last, now)
  const point = Math.min(first, last)
  return since > 0 ? firstSince(log, stream, { from: point, last, since }) : point
}

/** Whether events are to go, by how their streams are when they are first asked about. */
export function discardsAt(log: Log, now: number): Discards {
  const points = new Map<string, number>()
  return (stream, revision) => {
    let point = points.get(stream)
    if (point === undefined) {
      point = discardPoint(log, stream, now)
      points.set(stream, point)
    }
    return revision < point
  }
}

/** The first event recorded since then, or the last one of all. */
function firstSince(log: Log, stream: string, { from, last, since }: { from: number; last: number; since: number }): number {
  for (let next: number | undefined = from; next !== undefined; ) {
    const page = log.readStream(stream, next, 'forwards', Number.POSITIVE_INFINITY)
    const found = page.events.find(({ created }) => created >= since)
    if (found) return found.revision
    next = page.next
  }
  return last
}
