import type { Manifest, StoredFile } from '../../domain/archive/manifest.ts'
import { isSame, type Sha256 } from '../../domain/audit/merkle-tree.ts'
import { type ArchiveStore, type SegmentFormat, type SegmentRow, SegmentUnreadable } from '../../domain/ports/archive.ts'
import { type ArchiveKey, countManifests, requireManifest } from './manifests.ts'

export type ReadingOptions = ArchiveKey & { readonly store: ArchiveStore; readonly format: SegmentFormat; readonly sha256: Sha256 }

/**
 * Segments in their order, each only when its file is the one that was signed for. `wanted` says which are opened at all.
 * @throws SegmentUnreadable, NoteRefused, NotRetrieved
 */
export async function* readSegments(
  options: ReadingOptions,
  wanted: (manifest: Manifest) => boolean = () => true,
): AsyncGenerator<{ manifest: Manifest; rows: readonly SegmentRow[] }> {
  const { store, format } = options
  const count = await countManifests(store)
  for (let number = 0; number < count; number++) {
    const { manifest } = await requireManifest(store, number, options)
    if (!wanted(manifest)) continue
    yield { manifest, rows: await format.read(await signedContent(options, manifest.segment)) }
  }
}

/** What is in a file, when that is what the manifest was signed for. @throws SegmentUnreadable, NotRetrieved */
export async function signedContent({ store, sha256 }: Pick<ReadingOptions, 'store' | 'sha256'>, file: StoredFile): Promise<Uint8Array> {
  const content = await store.get(file.name)
  if (!content || !isSame(sha256(content), file.sha256))
    throw new SegmentUnreadable(`${file.name} is missing, or not what was archived: verify the archive`)
  return content
}
