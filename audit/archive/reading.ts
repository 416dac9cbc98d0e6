import type { Manifest, StoredFile } from '../../domain/archive/manifest.ts'
import { isSame, type Sha256 } from '../../domain/audit/merkle-tree.ts'
import { type ArchiveStore, type SegmentFormat, type SegmentRow, SegmentUnreadable } from '../../domain/ports/archive.ts'
import { type ArchiveKey, readManifests } from './manifests.ts'

export type ReadingOptions = ArchiveKey & { readonly store: ArchiveStore; readonly format: SegmentFormat; readonly sha256: Sha256 }

/** What is in a file, when that is what the manifest was signed for. @throws SegmentUnreadable, NotRetrieved */
export async function signedContent({ store, sha256 }: Pick<ReadingOptions, 'store' | 'sha256'>, file: StoredFile): Promise<Uint8Array> {
  const content = await store.get(file.name)
  if (content && isSame(sha256(content), file.sha256)) return content
  throw new SegmentUnreadable(`${file.name} is missing, or not what was archived: verify the archive`)
}

/**
 * The events in their order, some thousands at a time with the manifest of their segment, whose file is the one that was signed for.
 * @throws SegmentUnreadable, NoteRefused, NotRetrieved
 */
export async function* readSegments(options: ReadingOptions): AsyncGenerator<{ manifest: Manifest; rows: readonly SegmentRow[] }> {
  for await (const manifest of readManifests(options.store, options)) {
    const content = await signedContent(options, manifest.segment)
    for await (const rows of options.format.read(content)) yield { manifest, rows }
  }
}
