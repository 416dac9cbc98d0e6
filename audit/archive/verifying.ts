import { grown, isSameTree, MANIFESTS, type Manifest, manifestName, SEGMENTS, type StoredFile } from '../../domain/archive/manifest.ts'
import { growSegmentIndex } from '../../domain/archive/segment-index.ts'
import { leafText } from '../../domain/audit/canonical-event.ts'
import { type Checkpoint, checkpointHash, readCheckpoint } from '../../domain/audit/checkpoint.ts'
import {
  EMPTY_TREE,
  type Frontier,
  growTree,
  HASH_BYTES,
  type Hash,
  isSame,
  leafHash,
  type Sha256,
} from '../../domain/audit/merkle-tree.ts'
import { NoteRefused } from '../../domain/audit/signed-note.ts'
import { type ArchiveStore, NotRetrieved, type SegmentFormat, type SegmentRow, SegmentUnreadable } from '../../domain/ports/archive.ts'
import { type ArchiveKey, manifestAt, manifestNumbers, type ReadManifest } from './manifests.ts'

export type VerifyingOptions = ArchiveKey & {
  readonly store: ArchiveStore
  readonly format: SegmentFormat
  readonly sha256: Sha256
  /** Checkpoints (signed notes) that were kept elsewhere: the archive must hold the trees that they are of. */
  readonly kept?: readonly string[]
  onSegment?(manifest: Manifest): void
}

export type FindingCode =
  | 'manifest_missing'
  | 'manifest_forged'
  | 'manifests_out_of_order'
  | 'segment_missing'
  | 'segment_not_retrieved'
  | 'segment_unreadable'
  | 'segment_replaced'
  | 'hashes_missing'
  | 'hashes_changed'
  | 'event_changed'
  | 'event_dropped'
  | 'event_inserted'
  | 'events_reordered'
  | 'columns_changed'
  | 'index_missing'
  | 'index_changed'
  | 'tree_broken'
  | 'archive_truncated'
  | 'checkpoint_forged'

/** What is wrong, and where; `event` is what the segment holds there now. */
export type Finding = {
  readonly code: FindingCode
  readonly segment: number
  readonly file: string
  readonly leafIndex?: number
  readonly event?: { readonly stream: string; readonly revision: string; readonly id: string; readonly type: string }
  readonly message: string
}

export type Verified = {
  readonly segments: number
  readonly events: number
  /** Of the whole archive. */
  readonly root: Hash
  readonly checkpoints: number
  readonly findings: readonly Finding[]
  /** Files that no manifest names: of a run that was interrupted. */
  readonly unreferenced: readonly string[]
}

/** Beyond these no more are looked for in one segment. */
const MAX_FINDINGS = 20

/**
 * Verifies all that the archive says by the public key alone: signatures and order of the manifests, every event against the hashes, those against the tree, and
 * the tree against the checkpoints. It goes on after what it finds, so that all of it is named.
 */
export async function verifyArchive(options: VerifyingOptions): Promise<Verified> {
  const { store, sha256, onSegment = () => {} } = options
  const findings: Finding[] = []
  const referenced = new Set<string>()
  const numbers = await manifestNumbers(store)
  const chain = checkpointChain(options)
  let before: ReadManifest | undefined
  let tree: Frontier = EMPTY_TREE
  let expected = 0
  let events = 0
  for (const number of numbers) {
    const found = (code: FindingCode, file: string, message: string) => findings.push({ code, segment: number, file, message })
    if (number > expected) {
      findings.push({ code: 'manifest_missing', segment: expected, file: manifestName(expected), message: missing(expected, number - 1) })
      before = undefined
    }
    const isFirst = number === 0
    expected = number + 1
    const read = await manifestOf(number, options, found)
    if (!read) {
      before = undefined
      continue
    }
    const { manifest } = read
    for (const file of [manifest.segment, manifest.leaves, manifest.index]) if (file) referenced.add(file.name)
    const isNext = isFirst || before !== undefined
    if (before && !(manifest.previous && isSame(manifest.previous, before.hash)))
      found('manifests_out_of_order', manifestName(number), 'it does not go on from the manifest before it')
    if (manifest.number !== number || manifest.first < tree.size || (isNext && manifest.first !== tree.size)) {
      const said = `it is the manifest of segment ${manifest.number}, which begins with event ${manifest.first}`
      found('manifests_out_of_order', manifestName(number), said)
    }
    const leaves = await leavesOf(manifest, options, found)
    findings.push(...(await findingsInSegment(manifest, leaves, options)))
    // After a gap the tree goes on from what the manifest says, which is signed.
    if (leaves && isNext && manifest.first === tree.size) {
      const { tree: after, root } = grown(tree, leaves, sha256)
      if (!isSameTree(after, manifest.tree) || !isSame(root, manifest.treeRoot))
        found('tree_broken', manifestName(number), 'its tree is not that of its events')
      chain.check(tree, leaves, manifest, found)
    } else chain.lose()
    tree = manifest.tree
    events += manifest.count
    before = read
    onSegment(manifest)
  }
  findings.push(...chain.beyond(tree.size))
  const unreferenced: string[] = []
  for await (const { name } of store.list(SEGMENTS)) if (!referenced.has(name)) unreferenced.push(name)
  return { segments: numbers.length, events, root: growTree(tree, sha256).root(), checkpoints: chain.held(), findings, unreferenced }
}

const missing = (from: number, to: number) =>
  from === to
    ? 'the manifest is missing, and those after it are there'
    : `manifests ${from} to ${to} are missing, and those after them are there`

type Report = (code: FindingCode, file: string, message: string) => void

async function manifestOf(number: number, options: VerifyingOptions, found: Report): Promise<ReadManifest | undefined> {
  const file = manifestName(number)
  try {
    const read = await manifestAt(options.store, number, options)
    if (!read) found('manifest_missing', file, missing(number, number))
    return read
  } catch (error) {
    if (!(error instanceof NoteRefused)) throw error
    found('manifest_forged', file, error.message)
    return undefined
  }
}

/** The hashes of the events, when they are those that the manifest says. */
async function leavesOf(
  { leaves, root, count }: Manifest,
  { store, sha256 }: VerifyingOptions,
  found: Report,
): Promise<readonly Hash[] | undefined> {
  const content = await contentOf(store, leaves, found, 'hashes_missing')
  if (!content) return undefined
  if (!isSame(sha256(content), leaves.sha256)) {
    found('hashes_changed', leaves.name, 'the hashes of the events are not those of the segment')
    return undefined
  }
  const hashes = Array.from({ length: content.length / HASH_BYTES }, (_, index) =>
    content.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES),
  )
  if (hashes.length === count && isSame(grown(EMPTY_TREE, hashes, sha256).root, root)) return hashes
  found('hashes_changed', leaves.name, 'the hashes of the events are not those of the segment')
  return undefined
}

async function contentOf(
  store: ArchiveStore,
  { name }: StoredFile,
  found: Report,
  missing: 'segment_missing' | 'hashes_missing' | 'index_missing',
): Promise<Uint8Array | undefined> {
  try {
    const content = await store.get(name)
    if (!content) found(missing, name, 'the file is missing')
    return content
  } catch (error) {
    if (!(error instanceof NotRetrieved)) throw error
    found('segment_not_retrieved', name, error.message)
    return undefined
  }
}

async function findingsInSegment(
  manifest: Manifest,
  leaves: readonly Hash[] | undefined,
  options: VerifyingOptions,
): Promise<readonly Finding[]> {
  const { store, format, sha256 } = options
  const { number, segment, first } = manifest
  const findings: Finding[] = []
  const found = (code: FindingCode, file: string, message: string) => findings.push({ code, segment: number, file, message })
  const content = await contentOf(store, segment, found, 'segment_missing')
  if (!content) return findings
  const isWhole = isSame(sha256(content), segment.sha256)
  let rows: readonly SegmentRow[]
  try {
    rows = await format.read(content)
  } catch (error) {
    if (!(error instanceof SegmentUnreadable)) throw error
    found('segment_unreadable', segment.name, `${error.message}: events ${first} to ${first + manifest.count - 1} are in it`)
    return findings
  }
  const hashes = rows.map((row) => hashOf(row, sha256))
  const expected = leaves ?? (isSame(grown(EMPTY_TREE, hashes, sha256).root, manifest.root) ? hashes : undefined)
  if (!expected) {
    found('segment_replaced', segment.name, 'its events are not those of the manifest, and without their hashes it cannot be said which')
    return findings
  }
  findings.push(...differences(rows, hashes, expected, manifest))
  if (findings.length === 0 && !isWhole)
    found('columns_changed', segment.name, 'the events are what they were, but the file is not: columns beside them were changed')
  if (findings.length === 0) await checkIndex(manifest, rows, options, found)
  return findings
}

/** An index that leaves events out would hide them from whoever looks for those of a wallet alone. */
async function checkIndex({ index }: Manifest, rows: readonly SegmentRow[], { store, sha256 }: VerifyingOptions, found: Report) {
  if (!index) return
  const content = await contentOf(store, index, found, 'index_missing')
  if (!content) return
  const made = growSegmentIndex(sha256)
  for (const { identity, walletId } of rows) made.add(identity.stream, walletId)
  if (!isSame(sha256(content), index.sha256) || Buffer.from(made.text()).compare(content) !== 0)
    found('index_changed', index.name, 'it is not the index of the events of its segment')
}

function hashOf({ identity, data, metadata }: SegmentRow, sha256: Sha256): Hash {
  return leafHash(Buffer.from(leafText(identity, data, metadata)), sha256)
}

/** Which events are not those that were archived. Where one was dropped or inserted the others are found again further on. */
function differences(
  rows: readonly SegmentRow[],
  hashes: readonly Hash[],
  expected: readonly Hash[],
  { number, segment, first }: Manifest,
): readonly Finding[] {
  const key = (hash: Hash) => Buffer.from(hash).toString('latin1')
  if (hashes.length === expected.length && hashes.every((hash, index) => isSame(hash, expected[index]!))) return []
  const wanted = new Set(expected.map(key))
  const there = new Set(hashes.map(key))
  const missing = expected.flatMap((hash, index) => (there.has(key(hash)) ? [] : [index]))
  const added = hashes.flatMap((hash, index) => (wanted.has(key(hash)) ? [] : [index]))
  if (wanted.size > 0 && missing.length === expected.length)
    return [
      {
        code: 'segment_replaced',
        segment: number,
        file: segment.name,
        message: 'it holds the events of another segment, or none that were archived',
      },
    ]
  const finding = (code: FindingCode, index: number, message: string, row?: SegmentRow): Finding => ({
    code,
    segment: number,
    file: segment.name,
    leafIndex: first + index,
    ...(row && { event: { ...row.identity, revision: row.identity.revision.toString() } }),
    message,
  })
  const addedAt = new Set(added)
  const changed = hashes.length === expected.length ? missing.filter((index) => addedAt.has(index)) : []
  const changedAt = new Set(changed)
  const found = [
    ...changed.map((index) => finding('event_changed', index, 'the event is not what was archived', rows[index])),
    ...missing
      .filter((index) => !changedAt.has(index))
      .map((index) => finding('event_dropped', index, 'the event that was archived here is missing')),
    ...added
      .filter((index) => !changedAt.has(index))
      .map((index) => finding('event_inserted', index, 'the event was not archived', rows[index])),
  ]
  if (found.length > 0) return found.slice(0, MAX_FINDINGS)
  const at = hashes.findIndex((hash, index) => !expected[index] || !isSame(hash, expected[index]))
  return [finding('events_reordered', Math.max(at, 0), 'from here on the events are in another order, or are there twice', rows[at])]
}

/** The checkpoints of the archive, and those kept elsewhere: each of the tree that it says, and those of the archive each going on from the one before. */
function checkpointChain({ key, verify, sha256, kept = [] }: VerifyingOptions) {
  const elsewhere = kept.map((note) => readCheckpoint(note, key, verify).checkpoint)
  let last: Hash | undefined
  let isUnbroken = true
  let held = 0

  function notesOf(manifest: Manifest, found: Report): readonly Checkpoint[] {
    return manifest.checkpoints.flatMap((text) => {
      try {
        const { checkpoint, note } = readCheckpoint(text, key, verify)
        const follows = last === undefined ? checkpoint.previous === undefined : checkpoint.previous && isSame(checkpoint.previous, last)
        if (isUnbroken && !follows)
          found('checkpoint_forged', manifestName(manifest.number), 'a checkpoint does not go on from the one before it')
        isUnbroken = true
        last = checkpointHash(note.text)
        return [checkpoint]
      } catch (error) {
        if (!(error instanceof NoteRefused)) throw error
        found('checkpoint_forged', manifestName(manifest.number), error.message)
        return []
      }
    })
  }

  return {
    held: () => held,
    /** What comes after a gap goes on from something that is not there. */
    lose() {
      isUnbroken = false
    },
    check(before: Frontier, leaves: readonly Hash[], manifest: Manifest, found: Report) {
      const file = manifestName(manifest.number)
      const end = before.size + leaves.length
      const here = elsewhere.filter(({ size }) => size > before.size && size <= end)
      const due = [...notesOf(manifest, found), ...here]
      const bySize = new Map<number, Checkpoint[]>()
      for (const checkpoint of due) bySize.set(checkpoint.size, [...(bySize.get(checkpoint.size) ?? []), checkpoint])
      const tree = growTree(before, sha256)
      const compare = () => {
        for (const { size, root } of bySize.get(tree.size()) ?? []) {
          if (isSame(tree.root(), root)) held++
          else found('checkpoint_forged', file, `the checkpoint of ${size} events is of another tree`)
        }
        bySize.delete(tree.size())
      }
      compare()
      for (const leaf of leaves) {
        tree.append(leaf)
        if (bySize.has(tree.size())) compare()
      }
      for (const size of bySize.keys()) found('checkpoint_forged', file, `the checkpoint of ${size} events does not end in this segment`)
    },
    /** Kept checkpoints of more than there is. */
    beyond: (size: number): readonly Finding[] =>
      elsewhere
        .filter((checkpoint) => checkpoint.size > size)
        .map((checkpoint) => ({
          code: 'archive_truncated',
          segment: -1,
          file: MANIFESTS,
          message: `a checkpoint of ${checkpoint.size} events was kept elsewhere, and the archive ends with ${size}`,
        })),
  }
}
