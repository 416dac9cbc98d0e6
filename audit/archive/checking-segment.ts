import { grown, type Manifest, type StoredFile } from '../../domain/archive/manifest.ts'
import { blocksIn, growSegmentIndex, type SegmentIndex } from '../../domain/archive/segment-index.ts'
import { writeLeaf } from '../../domain/audit/canonical-event.ts'
import { EMPTY_TREE, isSame, leafHash, type Sha256 } from '../../domain/audit/merkle-tree.ts'
import { type ArchiveStore, type LeafRow, NotRetrieved, type SegmentFormat, SegmentUnreadable } from '../../domain/ports/archive.ts'
import { type Finding, type FindingCode, type Report, rangeOf } from './findings.ts'
import { countHashes, hashesIn, packHashes } from './packed-hashes.ts'

/** What was found in the files of a segment, and its hashes, when they are those that the manifest says. */
export type CheckedSegment = { readonly findings: readonly Finding[]; readonly leaves: Uint8Array | undefined }

export type CheckSegment = (manifest: Manifest) => Promise<CheckedSegment>

export type CheckingOptions = {
  readonly store: Pick<ArchiveStore, 'get'>
  readonly format: Pick<SegmentFormat, 'readLeaves'>
  readonly sha256: Sha256
}

/** Beyond these no more are looked for in one segment. */
const MAX_FINDINGS = 20

/** Holds the files of a segment against its manifest, whatever comes before it and after. */
export async function checkSegment(manifest: Manifest, options: CheckingOptions): Promise<CheckedSegment> {
  const findings: Finding[] = []
  const found: Report = (code, file, message) => findings.push({ code, segment: manifest.number, file, message })
  const leaves = await leavesOf(manifest, options, found)
  const index = await indexOf(manifest, options, found)
  findings.push(...(await findingsInSegment(manifest, leaves, index, options)))
  return { findings, leaves }
}

/** The hashes of the events, when they are those that the manifest says. */
async function leavesOf(manifest: Manifest, { store, sha256 }: CheckingOptions, found: Report): Promise<Uint8Array | undefined> {
  const { leaves, root, count } = manifest
  const content = await contentOf(store, leaves, found, 'hashes_missing')
  if (!content) return undefined
  const isWhole = isSame(sha256(content), leaves.sha256) && countHashes(content) === count
  if (isWhole && isSame(grown(EMPTY_TREE, hashesIn(content), sha256).root, root)) return content
  found('hashes_changed', leaves.name, `the hashes of events ${rangeOf(manifest)} are not those of the segment`)
  return undefined
}

/** The index of the segment, when it is that of the manifest. */
async function indexOf(manifest: Manifest, { store, sha256 }: CheckingOptions, found: Report): Promise<Uint8Array | undefined> {
  const { index } = manifest
  const content = index && (await contentOf(store, index, found, 'index_missing'))
  if (!content || isSame(sha256(content), index.sha256)) return content
  found('index_changed', index.name, `the index of events ${rangeOf(manifest)} is not that of the segment`)
  return undefined
}

async function contentOf(
  store: CheckingOptions['store'],
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
  options: CheckingOptions,
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
async function madeAgain(content: Uint8Array, { format, sha256 }: CheckingOptions): Promise<{ hashes: Uint8Array; index: SegmentIndex }> {
  const hashes = packHashes()
  const index = growSegmentIndex(sha256)
  for await (const rows of format.readLeaves(content))
    for (const { identity, walletId, data, metadata } of rows) {
      hashes.add(leafHash(writeLeaf(identity, data, metadata).leaf, sha256))
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
  format: CheckingOptions['format'],
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
