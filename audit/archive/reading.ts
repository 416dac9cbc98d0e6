import type { Manifest } from '../../domain/archive/manifest.ts'
import { isSame, type Sha256 } from '../../domain/audit/merkle-tree.ts'
import { type ArchiveStore, type SegmentFormat, type SegmentRow, SegmentUnreadable } from '../../domain/ports/archive.ts'
import { type ArchiveKey, countManifests, manifestAt } from './manifests.ts'

export type ReadingOptions = ArchiveKey & { readonly store: ArchiveStore; readonly format: SegmentFormat; readonly sha256: Sha256 }

/**
 * Segments in their order, each only when its file is the one that was signed for. `wanted` says which are opened at all.
 * @throws SegmentUnreadable, NoteRefused, NotRetrieved
 */
export async function* readSegments(
  options: ReadingOptions,
  wanted: (manifest: Manifest) => boolean = () => true,
): AsyncGenerator<{ manifest: Manifest; rows: readonly SegmentRow[] }> {
  const { store, format, sha256 } = options
  const count = await countManifests(store)
  for (let number = 0; number < count; number++) {
    const read = await manifestAt(store, number, options)
    if (read?.manifest.number !== number) throw new SegmentUnreadable(`the manifest of segment ${number} is missing`)
    const { manifest } = read
    if (!wanted(manifest)) continue
    const content = await store.get(manifest.segment.name)
    if (!content || !isSame(sha256(content), manifest.segment.sha256))
      throw new SegmentUnreadable(`${manifest.segment.name} is missing, or not what was archived: verify the archive`)
    yield { manifest, rows: await format.read(content) }
  }
}
