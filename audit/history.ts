import type { Manifest } from '../domain/archive/manifest.ts'
import { AUDITED_STREAMS, canonicalEvent, isAudited } from '../domain/audit/canonical-event.ts'
import { EMPTY_TREE, growTree, isSame, leafHash } from '../domain/audit/merkle-tree.ts'
import { isOfWallet } from '../domain/history/selection.ts'
import { walletInLog } from '../domain/history/wallet-in-log.ts'
import { NotRetrieved } from '../domain/ports/archive.ts'
import type { Documents } from '../domain/ports/documents.ts'
import type { EventLog, RecordedEvent } from '../domain/ports/event-log.ts'
import { walletStream } from '../domain/wallet/events.ts'
import { countByIndex, lookUp } from './archive/looking-up.ts'
import { countManifests, manifestAt } from './archive/manifests.ts'
import { type ReadingOptions, readSegments } from './archive/reading.ts'
import { positionOf } from './leaf-position.ts'

export type HistorySources = {
  readonly log?: HistoryLog | undefined
  readonly archive?: ReadingOptions | undefined
  /** The index beside the tree of the log, where there is one. */
  readonly documents?: Pick<Documents, 'get' | 'find'> | undefined
}

type HistoryLog = Pick<EventLog, 'subscribe' | 'readStream' | 'readAll'>

const MAX_BATCH = 1_000
/** So much of the log after the archive is read sooner than a wallet is looked up in it. */
const SHORT_TAIL = 1_000
/** Beyond it the log is read from end to end, which needs no more memory however much it has of the wallet. */
const BOUNDS = { streams: 20_000, tail: 20_000 }

/**
 * The events of the domain in the log's order, each once: those that are archived from the archive, and those after them from the log. Either alone will do.
 * From a segment on that is cold they are the log's, which must be those that were archived.
 * @throws Contradiction when the log does not have the last event of the archive, SegmentUnreadable, NoteRefused, Unavailable; NotRetrieved, in the end, when
 * the log does not have what is cold
 */
export async function* readHistory({ log, archive }: HistorySources): AsyncGenerator<RecordedEvent> {
  let archived: Manifest | undefined
  try {
    if (archive)
      for await (const { manifest, rows } of readSegments(archive)) {
        for (const { event } of rows) yield event
        archived = manifest
      }
  } catch (error) {
    if (!(error instanceof NotRetrieved && archive && log)) throw error
    return yield* archivedInLog(log, archive, archived, error)
  }
  if (log) yield* eventsAfter(log, await seamIn(log, archived))
}

/**
 * The events of one wallet, as `readHistory` has them. They are looked up by the indexes of the archive's segments and of the log, if that has much that the
 * archive has not; where the log's will not do the log is read, and `onScan` told.
 */
export async function* readWallet(sources: HistorySources, walletId: string, onScan: () => void = () => {}): AsyncGenerator<RecordedEvent> {
  const { documents } = sources
  const isWanted = (event: RecordedEvent) => isOfWallet(event, walletId)
  yield* acrossSeam(sources, walletStream(walletId), isWanted, async function* (log, { revisions, seam }) {
    const tail = seam === undefined ? undefined : await shortTail(log, seam)
    if (tail) return yield* tail.filter(isWanted)
    const found = documents && (await walletInLog({ log, documents }, walletId, BOUNDS, revisions))
    if (found) return yield* found
    onScan()
    for await (const event of eventsAfter(log, seam)) if (isWanted(event)) yield event
  })
}

/** The events of one stream, as `readHistory` has them. */
export async function* readStreamOf(sources: HistorySources, stream: string): AsyncGenerator<RecordedEvent> {
  const isWanted = (event: RecordedEvent) => event.stream === stream
  yield* acrossSeam(sources, stream, isWanted, async function* (log, { revisions }) {
    const last = revisions.get(stream)
    for await (const event of log.readStream(stream, last === undefined ? {} : { from: last + 1n })) if (isAudited(event)) yield event
  })
}

/** How far the archive was read: the last revision of each stream, and the position in the log of the last event of all. */
type Seam = { readonly revisions: ReadonlyMap<string, bigint>; readonly seam: bigint | undefined }

/** Those found in the archive as far as that can be read, then those that `inLog` finds after them. */
async function* acrossSeam(
  { log, archive }: HistorySources,
  stream: string,
  isWanted: (event: RecordedEvent) => boolean,
  inLog: (log: HistoryLog, after: Seam) => AsyncGenerator<RecordedEvent>,
): AsyncGenerator<RecordedEvent> {
  const revisions = new Map<string, bigint>()
  let archived: Manifest | undefined
  let cold: NotRetrieved | undefined
  let found = 0
  try {
    if (archive)
      for await (const { manifest, events } of lookUp(archive, stream)) {
        for (const event of events.filter(isWanted)) {
          revisions.set(event.stream, event.revision)
          found++
          yield event
        }
        archived = manifest
      }
  } catch (error) {
    if (!(error instanceof NotRetrieved && log)) throw error
    cold = error
  }
  if (!log) return
  const seam = await seamIn(log, archived)
  const end = cold && archive ? await newestIn(log, archive) : undefined
  for await (const event of inLog(log, { revisions, seam })) {
    if (end !== undefined && event.position <= end) found++
    yield event
  }
  // What was removed from the log is in the cold segment alone.
  if (cold && archive && (await countByIndex(archive, stream)) !== found) throw cold
}

/** Position in the log of the last event that is archived. @throws Contradiction when it is not there */
async function seamIn(log: Pick<EventLog, 'readStream'>, archived: Manifest | undefined): Promise<bigint | undefined> {
  const { last } = archived ?? {}
  return last && positionOf(log, { ...last, revision: BigInt(last.revision) })
}

async function newestIn(log: Pick<EventLog, 'readStream'>, archive: ReadingOptions): Promise<bigint | undefined> {
  const newest = await manifestAt(archive.store, (await countManifests(archive.store)) - 1, archive)
  return seamIn(log, newest?.manifest)
}

/** The log's events after a segment, which at the end of each further segment have to make the tree that was archived. @throws NotRetrieved when they do not */
async function* archivedInLog(
  log: HistoryLog,
  archive: ReadingOptions,
  archived: Manifest | undefined,
  cold: NotRetrieved,
): AsyncGenerator<RecordedEvent> {
  const { store, sha256 } = archive
  const tree = growTree(archived?.tree ?? EMPTY_TREE, sha256)
  const segment = async (number: number) => (await manifestAt(store, number, archive))?.manifest
  let due = await segment((archived?.number ?? -1) + 1)
  for await (const event of eventsAfter(log, await seamIn(log, archived))) {
    if (due) {
      tree.append(leafHash(Buffer.from(canonicalEvent(event)), sha256))
      if (tree.size() === due.tree.size) {
        if (!isSame(tree.root(), due.treeRoot)) throw cold
        due = await segment(due.number + 1)
      }
    }
    yield event
  }
  if (due) throw cold
}

/** What the log has after a position; undefined when that is not short. */
async function shortTail(log: Pick<EventLog, 'readAll'>, after: bigint): Promise<readonly RecordedEvent[] | undefined> {
  const events: RecordedEvent[] = []
  for await (const event of log.readAll({ after, limit: SHORT_TAIL + 1 })) events.push(event)
  return events.length > SHORT_TAIL ? undefined : events.filter(isAudited)
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
