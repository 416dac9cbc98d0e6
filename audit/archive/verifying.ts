import {
  filesOf,
  grown,
  isSameTree,
  MANIFESTS,
  type Manifest,
  manifestName,
  SEGMENTS,
  type StoredFile,
} from '../../domain/archive/manifest.ts'
import { blocksIn, growSegmentIndex, type SegmentIndex } from '../../domain/archive/segment-index.ts'
import { leafText } from '../../domain/audit/canonical-event.ts'
import { type Checkpoint, checkpointHash, readCheckpoint } from '../../domain/audit/checkpoint.ts'
import { EMPTY_TREE, type Frontier, growTree, type Hash, isSame, leafHash, type Sha256 } from '../../domain/audit/merkle-tree.ts'
import { NoteRefused } from '../../domain/audit/signed-note.ts'
import { type ArchiveStore, type LeafRow, NotRetrieved, type SegmentFormat, SegmentUnreadable } from '../../domain/ports/archive.ts'
import { type ArchiveKey, manifestAt, manifestNumbers, type ReadManifest } from './manifests.ts'
import { countHashes, hashesIn, packHashes } from './packed-hashes.ts'

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
    for (const { name } of filesOf(manifest)) referenced.add(name)
    const isNext = isFirst || before !== undefined
    if (before && !(manifest.previous && isSame(manifest.previous, before.hash)))
      found('manifests_out_of_order', manifestName(number), 'it does not go on from the manifest before it')
    if (manifest.number !== number || manifest.first < tree.size || (isNext && manifest.first !== tree.size)) {
      const said = `it is the manifest of segment ${manifest.number}, which begins with event ${manifest.first}`
      found('manifests_out_of_order', manifestName(number), said)
    }
    const leaves = await leavesOf(manifest, options, found)
    const index = await indexOf(manifest, options, found)
    findings.push(...(await findingsInSegment(manifest, leaves, index, options)))
    // After a gap the tree goes on from what the manifest says, which is signed.
    if (leaves && isNext && manifest.first === tree.size) {
      const { tree: after, root } = chain.grow(tree, leaves, manifest, found)
      if (!isSameTree(after, manifest.tree) || !isSame(root, manifest.treeRoot))
        found('tree_broken', manifestName(number), 'its tree is not that of its events')
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

/** The events of a segment, for people. */
const rangeOf = ({ first, count }: Manifest) => `${first} to ${first + count - 1}`

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
async function leavesOf(manifest: Manifest, { store, sha256 }: VerifyingOptions, found: Report): Promise<Uint8Array | undefined> {
  const { leaves, root, count } = manifest
  const content = await contentOf(store, leaves, found, 'hashes_missing')
  if (!content) return undefined
  const isWhole = isSame(sha256(content), leaves.sha256) && countHashes(content) === count
  if (isWhole && isSame(grown(EMPTY_TREE, hashesIn(content), sha256).root, root)) return content
  found('hashes_changed', leaves.name, `the hashes of events ${rangeOf(manifest)} are not those of the segment`)
  return undefined
}

/** The index of the segment, when it is that of the manifest. */
async function indexOf(manifest: Manifest, { store, sha256 }: VerifyingOptions, found: Report): Promise<Uint8Array | undefined> {
  const { index } = manifest
  const content = index && (await contentOf(store, index, found, 'index_missing'))
  if (!content || isSame(sha256(content), index.sha256)) return content
  found('index_changed', index.name, `the index of events ${rangeOf(manifest)} is not that of the segment`)
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
  leaves: Uint8Array | undefined,
  index: Uint8Array | undefined,
  options: VerifyingOptions,
): Promise<readonly Finding[]> {
  const { store, format, sha256 } = options
  const { number, segment } = manifest
  const findings: Finding[] = []
  const found = (code: FindingCode, file: string, message: string) => findings.push({ code, segment: number, file, message })
  const content = await contentOf(store, segment, found, 'segment_missing')
  if (!content) return findings
  const isWhole = isSame(sha256(content), segment.sha256)
  try {
    const { hashes, index: made } = await madeAgain(content, options)
    const expected = leaves ?? (isSame(grown(EMPTY_TREE, hashesIn(hashes), sha256).root, manifest.root) ? hashes : undefined)
    if (!expected) {
      const said = `its events are not ${rangeOf(manifest)} as the manifest says, and without their hashes it cannot be said which`
      found('segment_replaced', segment.name, said)
      return findings
    }
    findings.push(...(await named(differences(hashes, expected, manifest), manifest, content, format)))
    // One that leaves events out would hide them from whoever looks for those of a wallet alone.
    if (findings.length === 0 && isWhole && index && !isIndexOf(made, content, index))
      found('index_changed', manifest.index!.name, `it is not the index of events ${rangeOf(manifest)}, though it was signed as that`)
  } catch (error) {
    if (!(error instanceof SegmentUnreadable)) throw error
    found('segment_unreadable', segment.name, `${error.message}: events ${rangeOf(manifest)} are in it`)
    return findings
  }
  if (findings.length === 0 && !isWhole)
    found(
      'columns_changed',
      segment.name,
      `events ${rangeOf(manifest)} are what they were, but the file is not: columns beside them were changed`,
    )
  return findings
}

/** The hashes and the index of what a segment holds now. @throws SegmentUnreadable */
async function madeAgain(content: Uint8Array, { format, sha256 }: VerifyingOptions): Promise<{ hashes: Uint8Array; index: SegmentIndex }> {
  const hashes = packHashes()
  const index = growSegmentIndex(sha256)
  for await (const rows of format.readLeaves(content))
    for (const { identity, walletId, data, metadata } of rows) {
      hashes.add(leafHash(Buffer.from(leafText(identity, data, metadata)), sha256))
      index.add(identity.stream, walletId)
    }
  return { hashes: hashes.bytes(), index }
}

/** The hashes of blocks are compared where it has them: what was archived before there were any has none. */
function isIndexOf(made: SegmentIndex, content: Uint8Array, index: Uint8Array): boolean {
  return isSame(Buffer.from(made.text(blocksIn(index) && content)), index)
}

/** `at` is the row that is there now. */
type Difference = { readonly code: FindingCode; readonly index: number; readonly message: string; readonly at?: number }

/** Which events are not those that were archived. Where one was dropped or inserted the others are found again further on. */
function differences(hashes: Uint8Array, expected: Uint8Array, manifest: Manifest): readonly Difference[] {
  if (isSame(hashes, expected)) return []
  const keysOf = (packed: Uint8Array) => Array.from(hashesIn(packed), (hash) => Buffer.from(hash).toString('latin1'))
  const [there, wanted] = [keysOf(hashes), keysOf(expected)]
  const [isThere, isWanted] = [new Set(there), new Set(wanted)]
  const missing = wanted.flatMap((key, index) => (isThere.has(key) ? [] : [index]))
  const added = there.flatMap((key, index) => (isWanted.has(key) ? [] : [index]))
  if (missing.length === wanted.length && there.length > 0 && wanted.length > 1)
    return [
      {
        code: 'segment_replaced',
        index: 0,
        message: `it holds the events of another segment, or none that were archived as ${rangeOf(manifest)}`,
      },
    ]
  const addedAt = new Set(added)
  const changedAt = new Set(there.length === wanted.length ? missing.filter((index) => addedAt.has(index)) : [])
  const found: readonly Difference[] = [
    ...[...changedAt].map((index) => ({ code: 'event_changed' as const, index, message: 'the event is not what was archived', at: index })),
    ...missing
      .filter((index) => !changedAt.has(index))
      .map((index) => ({ code: 'event_dropped' as const, index, message: 'the event that was archived here is missing' })),
    ...added
      .filter((index) => !changedAt.has(index))
      .map((index) => ({ code: 'event_inserted' as const, index, message: 'the event was not archived', at: index })),
  ]
  if (found.length > 0) return found.slice(0, MAX_FINDINGS)
  const index = there.findIndex((key, at) => key !== wanted[at])
  const at = index === -1 ? there.length : index
  return [{ code: 'events_reordered', index: at, message: 'from here on the events are in another order, or are there twice', at }]
}

/** The findings, with the names of the events: the segment is read once more for them. @throws SegmentUnreadable */
async function named(
  differences: readonly Difference[],
  { number, segment, first }: Manifest,
  content: Uint8Array,
  format: SegmentFormat,
): Promise<readonly Finding[]> {
  const names = new Map<number, LeafRow['identity']>()
  const asked = new Set(differences.flatMap(({ at }) => (at === undefined ? [] : [at])))
  let row = 0
  if (asked.size > 0)
    for await (const rows of format.readLeaves(content)) for (const { identity } of rows) if (asked.has(row++)) names.set(row - 1, identity)
  return differences.map(({ code, index, message, at }) => {
    const identity = at === undefined ? undefined : names.get(at)
    const event = identity && { event: { ...identity, revision: identity.revision.toString() } }
    const place = code === 'segment_replaced' ? {} : { leafIndex: first + index, ...event }
    return { code, segment: number, file: segment.name, ...place, message }
  })
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
    /** The tree with the leaves of a segment, held against the checkpoints on the way. */
    grow(before: Frontier, leaves: Uint8Array, manifest: Manifest, found: Report): { tree: Frontier; root: Hash } {
      const file = manifestName(manifest.number)
      const end = before.size + countHashes(leaves)
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
      for (const leaf of hashesIn(leaves)) {
        tree.append(leaf)
        if (bySize.has(tree.size())) compare()
      }
      for (const size of bySize.keys()) found('checkpoint_forged', file, `the checkpoint of ${size} events does not end in this segment`)
      return { tree: tree.frontier(), root: tree.root() }
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
