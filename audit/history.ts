import type { Manifest } from '../domain/archive/manifest.ts'
import { AUDITED_STREAMS, isAudited } from '../domain/audit/canonical-event.ts'
import type { EventLog, RecordedEvent } from '../domain/ports/event-log.ts'
import { type ReadingOptions, readSegments } from './archive/reading.ts'
import { positionOf } from './leaf-position.ts'

export type HistorySources = {
  readonly log?: Pick<EventLog, 'subscribe' | 'readStream'> | undefined
  readonly archive?: ReadingOptions | undefined
}

const MAX_BATCH = 1_000

/**
 * The events of the domain in the log's order, each once: those that are archived from the archive, and those after them from the log. Either alone will do.
 * @throws Contradiction when the log does not have the last event of the archive, SegmentUnreadable, NoteRefused, NotRetrieved, Unavailable
 */
export async function* readHistory({ log, archive }: HistorySources): AsyncGenerator<RecordedEvent> {
  let archived: Manifest | undefined
  if (archive)
    for await (const { manifest, rows } of readSegments(archive)) {
      for (const { event } of rows) yield event
      archived = manifest
    }
  if (!log) return
  const { last } = archived ?? {}
  const after = last && (await positionOf(log, { ...last, revision: BigInt(last.revision) }))
  yield* eventsAfter(log, after)
}

/** To where the log ends now. */
async function* eventsAfter(log: Pick<EventLog, 'subscribe'>, after: bigint | undefined): AsyncGenerator<RecordedEvent> {
  const ended = new AbortController()
  try {
    for await (const batch of log.subscribe({ after, prefixes: AUDITED_STREAMS, signal: ended.signal, maxBatch: MAX_BATCH }))
      for (const message of batch) {
        if (message.kind === 'caughtUp') return
        if (message.kind === 'event' && isAudited(message.event)) yield message.event
      }
  } finally {
    ended.abort()
  }
}
