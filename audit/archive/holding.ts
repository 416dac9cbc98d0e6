import { AUDITED_STREAMS, canonicalEvent, isAudited } from '../../domain/audit/canonical-event.ts'
import { growTree, type Hash, isSame, leafHash } from '../../domain/audit/merkle-tree.ts'
import type { ArchiveStore } from '../../domain/ports/archive.ts'
import type { EventLog, RecordedEvent } from '../../domain/ports/event-log.ts'
import { countManifests, readManifests } from './manifests.ts'
import { hashesIn } from './packed-hashes.ts'
import { type ReadingOptions, signedContent } from './reading.ts'

export type NotHeldCode =
  /** Nothing is archived. */
  | 'no_archive'
  /** The first event of the log is not the first of the archive. */
  | 'archive_of_another_log'
  /** A later one is not. */
  | 'log_differs'
  /** The archive has events that the log has not. */
  | 'log_lacks_events'
  /** An event that is old enough is not archived. */
  | 'not_archived'

/** The archive does not hold the log as far as it must. */
export class NotHeld extends Error {
  override readonly name = 'NotHeld'
  constructor(
    readonly code: NotHeldCode,
    message: string,
  ) {
    super(message)
  }
}

/** How much of the log is archived, and the root of the archive's tree. */
export type Held = { readonly events: number; readonly root: Hash }

/** @throws NotHeld when nothing is archived there, Unavailable */
export async function requireArchive(store: ArchiveStore): Promise<void> {
  if ((await countManifests(store)) === 0) throw new NotHeld('no_archive', `there is no archive in ${store.place}`)
}

/**
 * Reads the log's events and holds each against its leaf in the archive, by hash: all that is archived must be in the log, in its order, and all that was
 * recorded before a moment must be archived.
 * @throws NotHeld, which names the first event that is wrong; SegmentUnreadable, NoteRefused, Unavailable
 */
export async function requireHeld(log: Pick<EventLog, 'subscribe'>, archive: ReadingOptions, recordedBefore: Date): Promise<Held> {
  const { sha256 } = archive
  await requireArchive(archive.store)
  const leaves = leavesOf(archive)
  const tree = growTree(undefined, sha256)
  let isBeyond = false
  const ended = new AbortController()
  try {
    for await (const batch of log.subscribe({ prefixes: AUDITED_STREAMS, signal: ended.signal })) {
      for (const message of batch) {
        if (message.kind !== 'event' || !isAudited(message.event)) continue
        const { event } = message
        const archived = isBeyond ? undefined : (await leaves.next()).value
        if (archived === undefined) {
          isBeyond = true
          if (new Date(event.recordedAt) < recordedBefore) throw notArchived(event)
          continue
        }
        const leaf = leafHash(Buffer.from(canonicalEvent(event)), sha256)
        if (!isSame(leaf, archived)) throw differing(event, tree.size())
        tree.append(leaf)
      }
      if (batch.some(({ kind }) => kind === 'caughtUp')) break
    }
  } finally {
    ended.abort()
  }
  if (!isBeyond && !(await leaves.next()).done)
    throw new NotHeld('log_lacks_events', `the archive goes on after ${tree.size()} events, with which the log ends`)
  return { events: tree.size(), root: tree.root() }
}

async function* leavesOf(archive: ReadingOptions): AsyncGenerator<Hash, undefined> {
  for await (const { leaves } of readManifests(archive.store, archive)) yield* hashesIn(await signedContent(archive, leaves))
  return undefined
}

const named = ({ type, stream, revision, id, position }: RecordedEvent) =>
  `${type}, ${stream} revision ${revision}, id ${id}, at position ${position}`

function notArchived(event: RecordedEvent): NotHeld {
  return new NotHeld('not_archived', `an event of ${event.recordedAt} is not archived (${named(event)}): run npm run archive first`)
}

function differing(event: RecordedEvent, index: number): NotHeld {
  if (index === 0) return new NotHeld('archive_of_another_log', `the first event of the log is not that of the archive (${named(event)})`)
  return new NotHeld('log_differs', `event ${index} of the log is not that of the archive (${named(event)})`)
}
