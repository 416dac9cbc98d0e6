import { randomUUID } from 'node:crypto'
import { AUDITED_STREAMS, canonicalEvent, type Held, isAudited } from '../../domain/audit/canonical-event.ts'
import { readCheckpoint } from '../../domain/audit/checkpoint.ts'
import { CHECKPOINT_SIGNED, CHECKPOINT_STREAM } from '../../domain/audit/checkpoint-stream.ts'
import { EMPTY_TREE, growTree, type Hash, isSame, leafHash } from '../../domain/audit/merkle-tree.ts'
import { vkeyOf } from '../../domain/audit/signed-note.ts'
import type { EventLog, NewEvent, RecordedEvent } from '../../domain/ports/event-log.ts'
import { type ReadingOptions, readSegments } from './reading.ts'

export type RestoringOptions = ReadingOptions & {
  /** An empty one. */
  readonly log: Pick<EventLog, 'append' | 'lastPosition' | 'subscribe'>
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
 * Puts all events of the archive into an empty log, in their order, and checkpoints with them; then reads the log, whose tree must be that of the archive.
 * @throws RestoreRefused, and as `readSegments`
 */
export async function restoreArchive(options: RestoringOptions): Promise<Restored> {
  const { log, key, verify, sha256, tenant, onProgress = () => {} } = options
  if ((await log.lastPosition([...AUDITED_STREAMS, CHECKPOINT_STREAM])) !== undefined)
    throw new RestoreRefused('log_not_empty', 'the log has events already: an archive is restored into an empty one')
  const underWay: Promise<unknown>[] = []
  const append = async (run: Run) => {
    if (underWay.length >= AT_ONCE) await underWay.shift()
    const appended = log.append(run.stream, run.revision === 0n ? 'no_stream' : run.revision - 1n, run.events)
    // Told of when its turn comes.
    appended.catch(() => {})
    underWay.push(appended)
  }
  let events = 0
  let root = growTree(EMPTY_TREE, sha256).root()
  const notes: string[] = []
  let run: Run | undefined
  for await (const { manifest, rows } of readSegments(options)) {
    for (const { event, data, metadata } of rows) {
      const characters = lengthOf(data) + lengthOf(metadata)
      const isFull = run && (run.events.length === MAX_EVENTS || run.characters + characters > MAX_CHARACTERS)
      if (run && (isFull || run.stream !== event.stream)) {
        await append(run)
        run = undefined
      }
      run ??= { stream: event.stream, revision: event.revision, events: [], characters: 0 }
      run.events.push(newEvent(event))
      run.characters += characters
      events++
    }
    root = manifest.treeRoot
    notes.push(...manifest.checkpoints)
    onProgress(events)
  }
  if (run) await append(run)
  await Promise.all(underWay)
  if (!isSame(await rootOfLog(log, events, sha256), root))
    throw new RestoreRefused('log_differs', 'the events are in the log in another order than in the archive: empty it, and restore again')
  await restoreCheckpoints(notes, { log, vkey: vkeyOf(key), tenant, timeOf: (note) => readCheckpoint(note, key, verify).checkpoint.time })
  return { events, root, checkpoints: notes.length }
}

const lengthOf = (held: Held) => ('json' in held ? held.json : held.base64).length

const newEvent = ({ id, type, data, metadata }: RecordedEvent): NewEvent => ({ id, type, data, metadata })

async function rootOfLog(log: Pick<EventLog, 'subscribe'>, events: number, sha256: (message: Uint8Array) => Hash): Promise<Hash> {
  const tree = growTree(EMPTY_TREE, sha256)
  const done = new AbortController()
  for await (const batch of log.subscribe({ prefixes: AUDITED_STREAMS, signal: done.signal })) {
    for (const message of batch)
      if (message.kind === 'event' && isAudited(message.event)) tree.append(leafHash(Buffer.from(canonicalEvent(message.event)), sha256))
    if (tree.size() >= events) break
    if (batch.some(({ kind }) => kind === 'caughtUp')) break
  }
  done.abort()
  return tree.root()
}

async function restoreCheckpoints(
  notes: readonly string[],
  { log, vkey, tenant, timeOf }: { log: Pick<EventLog, 'append'>; vkey: string; tenant: string; timeOf: (note: string) => string },
): Promise<void> {
  const events = notes.map((note): NewEvent => {
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
    await log.append(CHECKPOINT_STREAM, at === 0 ? 'no_stream' : BigInt(at - 1), events.slice(at, at + MAX_EVENTS))
}
