import { type RecordedEvent, TOMBSTONE } from '../log/event.ts'
import type { Commit, Log } from '../log/log.ts'
import { metadataOf, readability } from './stream-state.ts'
import { visibleEvents } from './visibility.ts'

/** `more` is false when the log held nothing further, for now. */
export type Batch = { events: RecordedEvent[]; more: boolean }

/** Where a subscription or a group takes its events from: one stream or all of them, always after the last event taken. */
export type Source = {
  /** The next events, at most `events` of them. */
  take(events: number): Batch
  /** Whether a commit may have brought something. */
  concerns(commit: Commit): boolean
  /** How many events, roughly, there are after the last one taken. */
  lag(): number
  /** A stream that does not exist cannot be caught up with, unless a subscription began at its end. */
  exists(): boolean
  /** Revision or position of the last event taken. */
  last(): number
  /** Revision or position of an event that was taken. */
  keyOf(event: RecordedEvent): number
}

/** A stream's events after revision `after`. The stream's metadata hides events from a subscriber only until it has caught up. */
export function streamSource(log: Log, stream: string, after: number): Source {
  let last = after
  let caughtUp = false
  const visible = () => (caughtUp ? { first: 0, since: 0 } : visibleEvents(metadataOf(log, stream), log.lastRevision(stream), Date.now()))
  return {
    take(wanted) {
      const { first, since } = visible()
      const { events } = log.readStream(stream, Math.max(last + 1, first), 'forwards', wanted)
      const more = events.length > 0
      caughtUp ||= !more
      last = Math.max(last, more ? events.at(-1)!.revision : log.lastRevision(stream))
      return { events: events.filter(({ created }) => created >= since), more }
    },
    concerns: ({ streams }) => streams.has(stream),
    lag: () => (log.lastRevision(stream) === TOMBSTONE ? 1 : log.lastRevision(stream) - last),
    exists: () => readability(log, stream) === 'found',
    last: () => last,
    keyOf: ({ revision }) => revision,
  }
}

/** The events of all streams after position `after`. */
export function allSource(log: Log, after: number): Source {
  let last = after
  return {
    take(wanted) {
      const { events } = log.readAll(last + 1, 'forwards', wanted)
      if (events.length > 0) last = events.at(-1)!.position
      return { events, more: events.length > 0 }
    },
    concerns: () => true,
    lag: () => log.head() - last,
    exists: () => true,
    last: () => last,
    keyOf: ({ position }) => position,
  }
}
