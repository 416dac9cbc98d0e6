import { NO_STREAM, originOf, TOMBSTONE } from '../log/event.ts'
import type { Log } from '../log/log.ts'
import type { Discards } from '../log/rewriting.ts'
import { metadataOf } from '../streams/stream-state.ts'
import { visibleEvents } from '../streams/visibility.ts'

/** What a stream keeps: from revision `first` on what was recorded at or after `since` (milliseconds), and its `last` event anyway. */
type Kept = { first: number; since: number; last: number }

/**
 * What a scavenge keeps of a stream, as in EventStoreDB 23.10 (TransactionLog/Scavenging): of what no read of the stream may show everything
 * goes but its last event, from which it is numbered on. A tombstoned stream is left with its tombstone and loses its metadata; a metastream
 * is left with its newest event. `now` in milliseconds.
 */
function keptOf(log: Log, stream: string, now: number): Kept {
  const last = log.lastRevision(stream)
  if (last === NO_STREAM || last === TOMBSTONE) return onlyFrom(last)
  const origin = originOf(stream)
  if (origin !== undefined) return onlyFrom(log.lastRevision(origin) === TOMBSTONE ? TOMBSTONE : last)
  const { first, since } = visibleEvents(metadataOf(log, stream), last, now)
  return { first: Math.min(first, last), since, last }
}

const onlyFrom = (first: number): Kept => ({ first, since: 0, last: first })

/** Whether events are to go, by how their streams are when they are first asked about; of each stream in their order, until one stays. */
export function discardsAt(log: Log, now: number): Discards {
  const streams = new Map<string, Kept>()
  return (stream, revision, created) => {
    let kept = streams.get(stream)
    if (kept === undefined) {
      kept = keptOf(log, stream, now)
      streams.set(stream, kept)
    }
    return revision < kept.first || (revision < kept.last && created < kept.since)
  }
}
