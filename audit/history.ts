import type { Manifest } from '../domain/archive/manifest.ts'
import { AUDITED_STREAMS, isAudited } from '../domain/audit/canonical-event.ts'
import { isOfWallet } from '../domain/history/selection.ts'
import { walletInLog } from '../domain/history/wallet-in-log.ts'
import type { Documents } from '../domain/ports/documents.ts'
import type { EventLog, RecordedEvent } from '../domain/ports/event-log.ts'
import { walletStream } from '../domain/wallet/events.ts'
import { lookUp } from './archive/looking-up.ts'
import { type ReadingOptions, readSegments } from './archive/reading.ts'
import { positionOf } from './leaf-position.ts'

export type HistorySources = {
  readonly log?: Pick<EventLog, 'subscribe' | 'readStream' | 'readAll'> | undefined
  readonly archive?: ReadingOptions | undefined
  /** The index beside the tree of the log, where there is one. */
  readonly documents?: Pick<Documents, 'get' | 'find'> | undefined
}

const MAX_BATCH = 1_000
/** Beyond it the log is read from end to end, which needs no more memory however much it has of the wallet. */
const BOUNDS = { streams: 20_000, tail: 20_000 }

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
  yield* eventsAfter(log, await seamIn(log, archived))
}

/**
 * The events of one wallet, as `readHistory` has them. They are looked up by the indexes of the archive's segments and of the log; where the latter will not do
 * the log is read, and `onScan` told.
 */
export async function* readWallet(
  { log, archive, documents }: HistorySources,
  walletId: string,
  onScan: () => void = () => {},
): AsyncGenerator<RecordedEvent> {
  const revisions = new Map<string, bigint>()
  let archived: Manifest | undefined
  if (archive)
    for await (const { manifest, events } of lookUp(archive, walletStream(walletId))) {
      for (const event of events) {
        if (!isOfWallet(event, walletId)) continue
        revisions.set(event.stream, event.revision)
        yield event
      }
      archived = manifest
    }
  if (!log) return
  const seam = await seamIn(log, archived)
  const found = documents && (await walletInLog({ log, documents }, walletId, BOUNDS, revisions))
  if (found) return yield* found
  onScan()
  for await (const event of eventsAfter(log, seam)) if (isOfWallet(event, walletId)) yield event
}

/** The events of one stream, as `readHistory` has them. */
export async function* readStreamOf({ log, archive }: HistorySources, stream: string): AsyncGenerator<RecordedEvent> {
  let next = 0n
  let archived: Manifest | undefined
  if (archive)
    for await (const { manifest, events } of lookUp(archive, stream)) {
      for (const event of events) {
        if (event.stream !== stream) continue
        next = event.revision + 1n
        yield event
      }
      archived = manifest
    }
  if (!log) return
  await seamIn(log, archived)
  for await (const event of log.readStream(stream, { from: next })) if (isAudited(event)) yield event
}

/** Position in the log of the last event that is archived. @throws Contradiction when it is not there */
async function seamIn(log: Pick<EventLog, 'readStream'>, archived: Manifest | undefined): Promise<bigint | undefined> {
  const { last } = archived ?? {}
  return last && positionOf(log, { ...last, revision: BigInt(last.revision) })
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
