import { randomUUID } from 'node:crypto'
import { AUDITED_STREAMS, canonicalEvent, isAudited, textOf } from '../../domain/audit/canonical-event.ts'
import { readCheckpoint } from '../../domain/audit/checkpoint.ts'
import { CHECKPOINT_SIGNED, CHECKPOINT_STREAM, checkpointSigned } from '../../domain/audit/checkpoint-stream.ts'
import { EMPTY_TREE, type GrowingTree, growTree, type Hash, isSame, leafHash, type Sha256 } from '../../domain/audit/merkle-tree.ts'
import { vkeyOf } from '../../domain/audit/signed-note.ts'
import type { SegmentRow } from '../../domain/ports/archive.ts'
import type { EventLog, NewEvent, RecordedEvent } from '../../domain/ports/event-log.ts'
import { readManifests } from './manifests.ts'
import { hashesIn } from './packed-hashes.ts'
import { type ReadingOptions, signedContent } from './reading.ts'

export type RestoringOptions = ReadingOptions & {
  /** An empty one, or what an interrupted restore of the same archive has left. */
  readonly log: Pick<EventLog, 'append' | 'lastPosition' | 'readStream' | 'subscribe'>
  /** Whose name the checkpoints' events bear. */
  readonly tenant: string
  onProgress?(events: number): void
}

export type Restored = { readonly events: number; readonly root: Hash; readonly checkpoints: number }

export class RestoreRefused extends Error {
  override readonly name = 'RestoreRefused'
  constructor(
    readonly code: 'log_not_empty' | 'log_differs',
    message: string,
  ) {
    super(message)
  }
}

/** Appends that are under way at once. They are taken in the order in which they are sent, which is looked at in the end. */
const AT_ONCE = 64
const MAX_EVENTS = 200
/** Half of what the store takes in one append; a longer event goes alone. */
const MAX_CHARACTERS = 512 * 1024

/** Events of one stream in a row, appended together. */
type Run = { stream: string; revision: bigint; events: NewEvent[]; characters: number }

/**
 * Puts all events of the archive into a log, in their order, and checkpoints with them; then reads the log, whose tree must be that of the archive. A log that
 * holds the beginning of the archive already, as after a restore that was interrupted, is gone on with.
 * @throws RestoreRefused, and as `readSegments`
 */
export async function restoreArchive(options: RestoringOptions): Promise<Restored> {
  const { log, store, key, verify, sha256, tenant, onProgress = () => {} } = options
  const there = await restoredAlready(options)
  const appends = appendInOrder(log)
  let events = 0
  let root = growTree(EMPTY_TREE, sha256).root()
  const notes: string[] = []
  for await (const manifest of readManifests(store, options)) {
    const end = manifest.first + manifest.count
    root = manifest.treeRoot
    notes.push(...manifest.checkpoints)
    if (end > there) {
      const content = await signedContent(options, manifest.segment)
      for await (const rows of options.format.read(content)) for (const row of rows) if (events++ >= there) await appends.add(row)
    } else events = end
    onProgress(events)
  }
  await appends.end()
  if (!isSame((await treeOfLog(log, events, sha256)).root(), root))
    throw new RestoreRefused('log_differs', 'the events are in the log in another order than in the archive: empty it, and restore again')
  await restoreCheckpoints(notes, { log, vkey: vkeyOf(key), tenant, timeOf: (note) => readCheckpoint(note, key, verify).checkpoint.time })
  return { events, root, checkpoints: notes.length }
}

/** How many events of the archive the log begins with, when it holds nothing else. @throws RestoreRefused otherwise */
async function restoredAlready(options: RestoringOptions): Promise<number> {
  const { log, store, sha256 } = options
  if ((await log.lastPosition([...AUDITED_STREAMS, CHECKPOINT_STREAM])) === undefined) return 0
  const there = await treeOfLog(log, Number.POSITIVE_INFINITY, sha256)
  const archived = growTree(EMPTY_TREE, sha256)
  for await (const manifest of readManifests(store, options)) {
    if (archived.size() === there.size()) break
    for (const leaf of hashesIn(await signedContent(options, manifest.leaves))) if (archived.size() < there.size()) archived.append(leaf)
  }
  if (isSame(archived.root(), there.root()) && archived.size() === there.size()) return there.size()
  const said = 'the log has events that are not the beginning of the archive: restore into an empty event store'
  throw new RestoreRefused('log_not_empty', said)
}

/** Appends events of one stream in a row together, some of them at once. */
function appendInOrder(log: Pick<EventLog, 'append'>) {
  const underWay: Promise<unknown>[] = []
  let run: Run | undefined
  const append = async ({ stream, revision, events }: Run) => {
    if (underWay.length >= AT_ONCE) await underWay.shift()
    const appended = log.append(stream, revision === 0n ? 'no_stream' : revision - 1n, events)
    // Told of when its turn comes.
    appended.catch(() => {})
    underWay.push(appended)
  }
  return {
    async add({ event, data, metadata }: SegmentRow) {
      const characters = textOf(data).length + textOf(metadata).length
      const isFull = run && (run.events.length === MAX_EVENTS || run.characters + characters > MAX_CHARACTERS)
      if (run && (isFull || run.stream !== event.stream)) {
        await append(run)
        run = undefined
      }
      run ??= { stream: event.stream, revision: event.revision, events: [], characters: 0 }
      run.events.push(newEvent(event))
      run.characters += characters
    },
    async end() {
      if (run) await append(run)
      await Promise.all(underWay)
    },
  }
}

const newEvent = ({ id, type, data, metadata }: RecordedEvent): NewEvent => ({ id, type, data, metadata })

async function treeOfLog(log: Pick<EventLog, 'subscribe'>, events: number, sha256: Sha256): Promise<GrowingTree> {
  const tree = growTree(EMPTY_TREE, sha256)
  const done = new AbortController()
  for await (const batch of log.subscribe({ prefixes: AUDITED_STREAMS, signal: done.signal })) {
    for (const message of batch)
      if (message.kind === 'event' && isAudited(message.event)) tree.append(leafHash(Buffer.from(canonicalEvent(message.event)), sha256))
    if (tree.size() >= events || batch.some(({ kind }) => kind === 'caughtUp')) break
  }
  done.abort()
  return tree
}

async function restoreCheckpoints(
  notes: readonly string[],
  {
    log,
    vkey,
    tenant,
    timeOf,
  }: { log: Pick<EventLog, 'append' | 'readStream'>; vkey: string; tenant: string; timeOf: (note: string) => string },
): Promise<void> {
  let there = 0
  for await (const event of log.readStream(CHECKPOINT_STREAM))
    if (checkpointSigned(event).note !== notes[there++])
      throw new RestoreRefused(
        'log_not_empty',
        'the log has checkpoints that are not those of the archive: restore into an empty event store',
      )
  const events = notes.slice(there).map((note): NewEvent => {
    const id = randomUUID()
    const metadata = {
      commandId: id,
      correlationId: id,
      causationId: id,
      actor: 'restore',
      tenant,
      occurredAt: timeOf(note),
      schemaVersion: 1,
    }
    return { id, type: CHECKPOINT_SIGNED, data: { note, vkey }, metadata }
  })
  for (let at = 0; at < events.length; at += MAX_EVENTS)
    await log.append(CHECKPOINT_STREAM, there + at === 0 ? 'no_stream' : BigInt(there + at - 1), events.slice(at, at + MAX_EVENTS))
}
