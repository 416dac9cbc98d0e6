import { grown, isSameTree, type Manifest, manifestName, SEGMENTS, type StoredFile } from '../../domain/archive/manifest.ts'
import { leafText } from '../../domain/audit/canonical-event.ts'
import { readCheckpoint } from '../../domain/audit/checkpoint.ts'
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
import { type ArchiveKey, countManifests, manifestAt, type ReadManifest } from './manifests.ts'

export type VerifyingOptions = ArchiveKey & {
  readonly store: ArchiveStore
  readonly format: SegmentFormat
  readonly sha256: Sha256
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
  | 'tree_broken'
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
  const count = await countManifests(store)
  let before: ReadManifest | undefined
  let tree: Frontier = EMPTY_TREE
  let events = 0
  let checkpoints = 0
  for (let number = 0; number < count; number++) {
    const found = (code: FindingCode, file: string, message: string) => findings.push({ code, segment: number, file, message })
    const read = await manifestOf(number, options, found)
    if (!read) {
      before = undefined
      continue
    }
    const { manifest } = read
    for (const { name } of [manifest.segment, manifest.leaves]) referenced.add(name)
    if (number > 0 && before && !(manifest.previous && isSame(manifest.previous, before.hash)))
      found('manifests_out_of_order', manifestName(number), 'it does not go on from the manifest before it')
    if (number === 0 || before) {
      if (manifest.number !== number || manifest.first !== tree.size)
        found(
          'manifests_out_of_order',
          manifestName(number),
          `it is the manifest of segment ${manifest.number}, which begins with event ${manifest.first}`,
        )
    }
    const leaves = await leavesOf(manifest, options, found)
    findings.push(...(await findingsInSegment(manifest, leaves, options)))
    if (leaves) {
      // After a gap the tree goes on from what the manifest says, which is signed.
      const start = manifest.first === tree.size ? tree : undefined
      if (start) {
        const { tree: after, root } = grown(start, leaves, sha256)
        if (!isSameTree(after, manifest.tree) || !isSame(root, manifest.treeRoot))
          found('tree_broken', manifestName(number), 'its tree is not that of its events')
        checkpoints += checkCheckpoints(start, leaves, manifest, options, found)
      }
    }
    tree = manifest.tree
    events += manifest.count
    before = read
    onSegment(manifest)
  }
  const unreferenced: string[] = []
  for await (const { name } of store.list(SEGMENTS)) if (!referenced.has(name)) unreferenced.push(name)
  return { segments: count, events, root: growTree(tree, sha256).root(), checkpoints, findings, unreferenced }
}

type Report = (code: FindingCode, file: string, message: string) => void

async function manifestOf(number: number, options: VerifyingOptions, found: Report): Promise<ReadManifest | undefined> {
  const file = manifestName(number)
  try {
    const read = await manifestAt(options.store, number, options)
    if (!read) found('manifest_missing', file, 'the manifest is missing, and those after it are there')
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
  missing: 'segment_missing' | 'hashes_missing',
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
  return findings
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
  const changed = missing.filter((index) => added.includes(index) && hashes.length === expected.length)
  const found = [
    ...changed.map((index) => finding('event_changed', index, 'the event is not what was archived', rows[index])),
    ...missing
      .filter((index) => !changed.includes(index))
      .map((index) => finding('event_dropped', index, 'the event that was archived here is missing')),
    ...added
      .filter((index) => !changed.includes(index))
      .map((index) => finding('event_inserted', index, 'the event was not archived', rows[index])),
  ]
  if (found.length > 0) return found.slice(0, MAX_FINDINGS)
  const at = hashes.findIndex((hash, index) => !expected[index] || !isSame(hash, expected[index]))
  return [finding('events_reordered', Math.max(at, 0), 'from here on the events are in another order, or are there twice', rows[at])]
}

/** How many checkpoints end in the segment and are of this tree. */
function checkCheckpoints(
  before: Frontier,
  leaves: readonly Hash[],
  manifest: Manifest,
  { key, verify, sha256 }: VerifyingOptions,
  found: Report,
): number {
  const file = manifestName(manifest.number)
  const due = new Map<number, Hash>()
  for (const note of manifest.checkpoints) {
    try {
      const { checkpoint } = readCheckpoint(note, key, verify)
      due.set(checkpoint.size, checkpoint.root)
    } catch (error) {
      if (!(error instanceof NoteRefused)) throw error
      found('checkpoint_forged', file, error.message)
    }
  }
  const tree = growTree(before, sha256)
  let held = 0
  for (const leaf of leaves) {
    tree.append(leaf)
    const root = due.get(tree.size())
    if (!root) continue
    due.delete(tree.size())
    if (isSame(tree.root(), root)) held++
    else found('checkpoint_forged', file, `the checkpoint of ${tree.size()} events is of another tree`)
  }
  for (const size of due.keys()) found('checkpoint_forged', file, `the checkpoint of ${size} events does not end in this segment`)
  return held
}
