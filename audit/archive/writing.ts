import {
  filesOf,
  INDEXES,
  LEAVES,
  MAX_CHECKPOINTS,
  type Manifest,
  manifestName,
  SEGMENT_FOLDERS,
  SEGMENTS,
  type StoredFile,
  signManifest,
} from '../../domain/archive/manifest.ts'
import { growSegmentIndex } from '../../domain/archive/segment-index.ts'
import { AUDITED_STREAMS, heldIn, isAudited, writeLeaf } from '../../domain/audit/canonical-event.ts'
import { readCheckpoint } from '../../domain/audit/checkpoint.ts'
import { CHECKPOINT_STREAM, checkpointSigned } from '../../domain/audit/checkpoint-stream.ts'
import { EMPTY_TREE, type GrowingTree, growTree, type Hash, isSame, leafHash, type Sha256 } from '../../domain/audit/merkle-tree.ts'
import { walletNamedIn } from '../../domain/history/selection.ts'
import type { ArchiveStore, SegmentFormat } from '../../domain/ports/archive.ts'
import type { EventLog, RecordedEvent } from '../../domain/ports/event-log.ts'
import type { Identity } from '../../domain/ports/identity.ts'
import { Contradiction } from '../contradiction.ts'
import { positionOf } from '../leaf-position.ts'
import { type ArchiveKey, countManifests, manifestAt, type ReadManifest } from './manifests.ts'
import { packHashes } from './packed-hashes.ts'

export type ArchivingOptions = ArchiveKey & {
  readonly log: Pick<EventLog, 'subscribe' | 'readStream'>
  readonly store: ArchiveStore
  readonly format: SegmentFormat
  readonly identity: Identity
  readonly sha256: Sha256
  /** Most events of a segment. */
  readonly segmentEvents: number
  /** A segment ends with so many bytes of its file, too, which is in memory until it is stored. */
  readonly segmentBytes?: number
  readonly signal: AbortSignal
  onSegment(manifest: Manifest): void
}

const SEGMENT_BYTES = 64 * 2 ** 20
const MAX_BATCH = 2_000
const POSITION_DIGITS = 12

/** Another run has closed the segment first: what it archived is archived. */
export class ArchiveOvertaken extends Error {
  override readonly name = 'ArchiveOvertaken'
}

/** A checkpoint in the log of a tree that is not archived yet. */
type Expected = { readonly size: number; readonly root: Hash; readonly note: string }

/**
 * Archives what the log holds and the archive does not, in segments that are closed then and there: hashes, index, segment, and last the manifest, without which
 * a segment is none. Run again it goes on from the last manifest.
 * @returns the newest manifest, undefined when there is nothing to archive
 * @throws Contradiction when the log is not what its checkpoints, or the archive, say; ArchiveOvertaken, NoteRefused, Unavailable
 */
export async function archiveLog(options: ArchivingOptions): Promise<Manifest | undefined> {
  const { log, store, segmentEvents, segmentBytes = SEGMENT_BYTES, signal } = options
  const count = await countManifests(store)
  let newest = count === 0 ? undefined : await manifestAt(store, count - 1, options)
  if (newest) await discardOthers(store, newest.manifest)
  const { expected, signed } = await checkpointsSince(newest?.manifest, options)
  // What no checkpoint covers waits for one, so that each is archived with the events that it is of.
  if (newest && signed !== undefined && signed <= newest.manifest.tree.size) return newest.manifest
  const after = newest && (await positionOf(log, leafIn(newest.manifest)))
  const caughtUp = new AbortController()
  let segment = openSegment(newest, expected, options)
  const close = async () => {
    newest = await segment.close()
    segment = openSegment(newest, expected, options)
  }
  const subscription = { after, prefixes: AUDITED_STREAMS, signal: AbortSignal.any([signal, caughtUp.signal]), maxBatch: MAX_BATCH }
  for await (const batch of log.subscribe(subscription)) {
    for (const message of batch) {
      if (message.kind === 'caughtUp') caughtUp.abort()
      if (caughtUp.signal.aborted) break
      if (message.kind !== 'event' || !isAudited(message.event)) continue
      segment.add(message.event)
      if (segment.isFull()) await segment.write()
      const isWhole = segment.end() === signed
      if (segment.size() === segmentEvents || segment.bytes() >= segmentBytes || segment.checkpoints() === MAX_CHECKPOINTS || isWhole)
        await close()
      if (isWhole) caughtUp.abort()
      if (isWhole) break
    }
    if (caughtUp.signal.aborted) break
  }
  signal.throwIfAborted()
  if (segment.size() > 0) await close()
  return newest?.manifest
}

/** What else there is of the segment, which a run that was killed or overtaken has left: nobody can make a segment of it any more. */
async function discardOthers(store: ArchiveStore, manifest: Manifest): Promise<void> {
  const own = filesOf(manifest).map(({ name }) => name)
  for (const folder of SEGMENT_FOLDERS) await store.discard(`${folder}${placeOf(manifest.first)}-`, own)
  await store.discard(manifestName(manifest.number), [manifestName(manifest.number)])
}

const placeOf = (first: number) => String(first).padStart(POSITION_DIGITS, '0')

const leafIn = ({ last }: Manifest) => ({ stream: last.stream, revision: BigInt(last.revision), id: last.id })

/** A segment that goes on from the one before. */
function openSegment(before: ReadManifest | undefined, expected: readonly Expected[], options: ArchivingOptions) {
  const { store, format, sha256, onSegment } = options
  const tree = growTree(before?.manifest.tree ?? EMPTY_TREE, sha256)
  const own = growTree(EMPTY_TREE, sha256)
  const first = tree.size()
  const writer = format.writer()
  const leaves = packHashes()
  const index = growSegmentIndex(sha256)
  // One of all that was archived before may have been signed since.
  const checkpoints = [...checked(tree, expected)]
  const ends: { first?: RecordedEvent; last?: RecordedEvent } = {}

  const put = async (folder: string, extension: string, content: Uint8Array): Promise<StoredFile> => {
    const digest = sha256(content)
    const name = `${folder}${placeOf(first)}-${Buffer.from(digest).toString('hex').slice(0, 16)}${extension}`
    await store.put(name, content)
    return { name, bytes: content.length, sha256: digest }
  }

  return {
    size: leaves.count,
    bytes: writer.bytes,
    isFull: writer.isFull,
    write: writer.write,
    end: () => tree.size(),
    checkpoints: () => checkpoints.length,

    add(event: RecordedEvent) {
      const { leaf: text, data, metadata } = writeLeaf(event, heldIn(event.data), heldIn(event.metadata))
      const leaf = leafHash(text, sha256)
      const walletId = walletNamedIn(event)
      writer.add({ leafIndex: tree.size(), identity: event, walletId, data, metadata, event })
      leaves.add(leaf)
      index.add(event.stream, walletId)
      for (const each of [tree, own]) each.append(leaf)
      checkpoints.push(...checked(tree, expected))
      ends.first ??= event
      ends.last = event
    },

    async close(): Promise<ReadManifest> {
      const { first: oldest, last: newest } = ends as Required<typeof ends>
      const number = (before?.manifest.number ?? -1) + 1
      const content = await writer.finish()
      const manifest = async (): Promise<Manifest> => ({
        number,
        previous: before?.hash,
        first,
        count: leaves.count(),
        // Whoever reads all segments that lie there finds none without its hashes and its index.
        leaves: await put(LEAVES, '.leaves', leaves.bytes()),
        index: await put(INDEXES, '.index', Buffer.from(index.text(content))),
        segment: await put(SEGMENTS, format.extension, content),
        root: own.root(),
        tree: tree.frontier(),
        treeRoot: tree.root(),
        positions: [oldest.position.toString(), newest.position.toString()],
        times: [oldest.recordedAt, newest.recordedAt],
        last: { stream: newest.stream, revision: newest.revision.toString(), id: newest.id },
        checkpoints,
      })
      const closed = await closeWith(manifest, number, options)
      onSegment(closed.manifest)
      return closed
    },
  }
}

/** @throws ArchiveOvertaken, and as the store does */
async function closeWith(storeFiles: () => Promise<Manifest>, number: number, options: ArchivingOptions): Promise<ReadManifest> {
  const own = await storeSegment(storeFiles, number, options)
  const stored = own ?? (await manifestAt(options.store, number, options))
  if (stored) await discardOthers(options.store, stored.manifest)
  if (own) return own
  throw new ArchiveOvertaken(`segment ${number} was archived by another run meanwhile`)
}

/** Undefined when another run was first. */
async function storeSegment(
  storeFiles: () => Promise<Manifest>,
  number: number,
  { store, identity }: ArchivingOptions,
): Promise<ReadManifest | undefined> {
  try {
    const manifest = await storeFiles()
    const { text, hash } = await signManifest(manifest, identity)
    return (await store.put(manifestName(number), Buffer.from(text))) ? { manifest, hash } : undefined
  } catch (error) {
    // Who has closed the segment discards what others have begun of it, under their hands.
    if ((await store.get(manifestName(number))) === undefined) throw error
    return undefined
  }
}

/** The checkpoint of the tree as it is now, if there is one. @throws Contradiction when it is of another tree */
function checked(tree: GrowingTree, expected: readonly Expected[]): readonly string[] {
  const size = tree.size()
  const due = binarySearch(expected, size)
  if (!due) return []
  if (!isSame(tree.root(), due.root))
    throw new Contradiction('log_rewritten', `of the first ${size} events some are not those that were signed`)
  return [due.note]
}

/** Checkpoints in the log that are not archived, smallest first, and the size of the newest of all; undefined when nothing was signed. @throws NoteRefused */
async function checkpointsSince(
  newest: Manifest | undefined,
  { log, key, verify }: ArchivingOptions,
): Promise<{ expected: readonly Expected[]; signed: number | undefined }> {
  const expected: Expected[] = []
  let signed: number | undefined
  const archived = newest?.tree.size ?? 0
  for await (const event of log.readStream(CHECKPOINT_STREAM)) {
    const { note } = checkpointSigned(event)
    const { size, root } = readCheckpoint(note, key, verify).checkpoint
    signed = size
    if (size > archived || (size === archived && newest && !newest.checkpoints.includes(note))) expected.push({ size, root, note })
  }
  return { expected, signed }
}

function binarySearch(sorted: readonly Expected[], size: number): Expected | undefined {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]!.size < size) low = middle + 1
    else high = middle
  }
  return sorted[low]?.size === size ? sorted[low] : undefined
}
