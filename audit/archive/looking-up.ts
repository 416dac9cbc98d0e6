import type { Manifest, StoredFile } from '../../domain/archive/manifest.ts'
import { type BlockHashes, blocksIn, rowsIn } from '../../domain/archive/segment-index.ts'
import { inOrder } from '../../domain/history/in-order.ts'
import type { RecordedEvent } from '../../domain/ports/event-log.ts'
import { countManifests, requireManifest } from './manifests.ts'
import { type ReadingOptions, signedContent } from './reading.ts'
import { signedSegment } from './signed-segment.ts'

/** Segments whose indexes are read at once. */
const AT_ONCE = 8

/**
 * The events of a stream or, where it is the stream of a wallet, of the wallet; by each segment's index only those that may be among them, to be looked at. A
 * segment without an index is read whole, some thousands of events at a time.
 * @throws SegmentUnreadable when what is read is not what was signed for, NoteRefused, NotRetrieved
 */
export async function* lookUp(
  options: ReadingOptions,
  stream: string,
): AsyncGenerator<{ manifest: Manifest; events: readonly RecordedEvent[] }> {
  const { format } = options
  for await (const { manifest, found } of whereIn(options, stream)) {
    if (found?.rows.length === 0) {
      yield { manifest, events: [] }
      continue
    }
    const groups = found
      ? format.readRows(await signedSegment(options, manifest, found.blocks), found.rows)
      : format.read(await signedContent(options, manifest.segment))
    for await (const group of groups) yield { manifest, events: group.map(({ event }) => event) }
  }
}

/** How many events `lookUp` would find, by the indexes alone; undefined where a segment has none. */
export async function countByIndex(options: ReadingOptions, stream: string): Promise<number | undefined> {
  let events = 0
  for await (const { found } of whereIn(options, stream)) {
    if (!found) return undefined
    events += found.rows.length
  }
  return events
}

/** Rows that may be sought, and the hashes of the file that they are in. */
type Found = { readonly rows: readonly number[]; readonly blocks: BlockHashes | undefined }

/** In each segment, in their order; undefined where there is no index. */
async function* whereIn(options: ReadingOptions, stream: string): AsyncGenerator<{ manifest: Manifest; found: Found | undefined }> {
  const numbers = Array.from({ length: await countManifests(options.store) }, (_, number) => number)
  yield* inOrder(numbers, AT_ONCE, async (number) => {
    const manifest = await requireManifest(options.store, number, options)
    return { manifest, found: manifest.index && (await foundIn(manifest.index, options, stream)) }
  })
}

async function foundIn(index: StoredFile, options: ReadingOptions, stream: string): Promise<Found> {
  const content = await signedContent(options, index)
  const rows = rowsIn(content, stream, options.sha256)
  return { rows, blocks: rows.length > 0 ? blocksIn(content) : undefined }
}
