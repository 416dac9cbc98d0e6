import type { Manifest } from '../../domain/archive/manifest.ts'
import { isSame, type Sha256 } from '../../domain/audit/merkle-tree.ts'
import { type ArchiveStore, type SegmentFormat, type SegmentRow, SegmentUnreadable } from '../../domain/ports/archive.ts'
import { type ArchiveKey, countManifests, manifestAt } from './manifests.ts'

export type ReadingOptions = ArchiveKey & { readonly store: ArchiveStore; readonly format: SegmentFormat; readonly sha256: Sha256 }

/** The manifests in their order. @throws SegmentUnreadable when one is missing, NoteRefused */
export async function* readManifests(options: Pick<ReadingOptions, 'store' | keyof ArchiveKey>): AsyncGenerator<Manifest> {
  const count = await countManifests(options.store)
  for (let number = 0; number < count; number++) {
    const read = await manifestAt(options.store, number, options)
    if (read?.manifest.number !== number) throw new SegmentUnreadable(`the manifest of segment ${number} is missing`)
    yield read.manifest
  }
}

/** What a manifest says is in a file. @throws SegmentUnreadable when it is not there, or is not what was archived; NotRetrieved */
export async function readStored(
  { store, sha256 }: Pick<ReadingOptions, 'store' | 'sha256'>,
  file: Manifest['segment'],
): Promise<Uint8Array> {
  const content = await store.get(file.name)
  if (content && isSame(sha256(content), file.sha256)) return content
  throw new SegmentUnreadable(`${file.name} is missing, or not what was archived: verify the archive`)
}

/**
 * The events in their order, some thousands at a time with the manifest of their segment, whose file is the one that was signed for.
 * @throws SegmentUnreadable, NoteRefused, NotRetrieved
 */
export async function* readSegments(options: ReadingOptions): AsyncGenerator<{ manifest: Manifest; rows: readonly SegmentRow[] }> {
  for await (const manifest of readManifests(options)) {
    const content = await readStored(options, manifest.segment)
    for await (const rows of options.format.read(content)) yield { manifest, rows }
  }
}
