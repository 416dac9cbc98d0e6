import { filesOf, isSameTree, MANIFESTS, type Manifest, manifestName, SEGMENT_FOLDERS } from '../../domain/archive/manifest.ts'
import { type Checkpoint, checkpointHash, readCheckpoint } from '../../domain/audit/checkpoint.ts'
import { EMPTY_TREE, type Frontier, growTree, type Hash, isSame } from '../../domain/audit/merkle-tree.ts'
import { NoteRefused } from '../../domain/audit/signed-note.ts'
import { inOrder } from '../../domain/history/in-order.ts'
import type { ArchiveStore } from '../../domain/ports/archive.ts'
import { type CheckedSegment, type CheckingOptions, type CheckSegment, checkSegment } from './checking-segment.ts'
import type { Finding, FindingCode, Report } from './findings.ts'
import { type ArchiveKey, manifestAt, manifestNumbers, type ReadManifest } from './manifests.ts'
import { countHashes, hashesIn } from './packed-hashes.ts'

export type VerifyingOptions = ArchiveKey &
  CheckingOptions & {
    readonly store: ArchiveStore
    /** Checks segments elsewhere, such as on other threads; here, and one after the other, when left out. */
    readonly elsewhere?: { readonly check: CheckSegment; readonly atOnce: number }
    /** Checkpoints (signed notes) that were kept elsewhere: the archive must hold the trees that they are of. */
    readonly kept?: readonly string[]
    onSegment?(manifest: Manifest): void
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

/**
 * Verifies all that the archive says by the public key alone: signatures and order of the manifests, every event against the hashes, those against the tree, and
 * the tree against the checkpoints. It goes on after what it finds, so that all of it is named.
 */
export async function verifyArchive(options: VerifyingOptions): Promise<Verified> {
  const { store, sha256, elsewhere, onSegment = () => {} } = options
  const findings: Finding[] = []
  const referenced = new Set<string>()
  const numbers = await manifestNumbers(store)
  const chain = checkpointChain(options)
  let before: ReadManifest | undefined
  let tree: Frontier = EMPTY_TREE
  let expected = 0
  let events = 0
  const check = elsewhere?.check ?? ((manifest: Manifest) => checkSegment(manifest, options))
  const begin = (number: number) => readAndCheck(number, check, options)
  for await (const { number, read, findings: ofManifest, checked } of inOrder(numbers, elsewhere?.atOnce ?? 1, begin)) {
    const found = (code: FindingCode, file: string, message: string) => findings.push({ code, segment: number, file, message })
    if (number > expected) {
      findings.push({ code: 'manifest_missing', segment: expected, file: manifestName(expected), message: missing(expected, number - 1) })
      before = undefined
    }
    const isFirst = number === 0
    expected = number + 1
    findings.push(...ofManifest)
    if (!read || !checked) {
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
    const { leaves } = checked
    findings.push(...checked.findings)
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
  for (const folder of SEGMENT_FOLDERS) for await (const { name } of store.list(folder)) if (!referenced.has(name)) unreferenced.push(name)
  return { segments: numbers.length, events, root: growTree(tree, sha256).root(), checkpoints: chain.held(), findings, unreferenced }
}

const missing = (from: number, to: number) =>
  from === to
    ? 'the manifest is missing, and those after it are there'
    : `manifests ${from} to ${to} are missing, and those after them are there`

type Read = {
  readonly number: number
  readonly read?: ReadManifest | undefined
  readonly findings: readonly Finding[]
  readonly checked?: CheckedSegment
}

/** All of a segment that needs no other. */
async function readAndCheck(number: number, check: CheckSegment, options: VerifyingOptions): Promise<Read> {
  const findings: Finding[] = []
  const read = await manifestOf(number, options, (code, file, message) => findings.push({ code, segment: number, file, message }))
  return { number, read, findings, ...(read && { checked: await check(read.manifest) }) }
}

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
