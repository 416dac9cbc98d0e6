import type { Manifest } from '../../domain/archive/manifest.ts'
import { rowsIn } from '../../domain/archive/segment-index.ts'
import type { RecordedEvent } from '../../domain/ports/event-log.ts'
import { countManifests, requireManifest } from './manifests.ts'
import { type ReadingOptions, signedContent } from './reading.ts'

/**
 * The events of a stream or, where it is the stream of a wallet, of the wallet; by each segment's index only those that may be among them, to be looked at. A
 * segment without an index is read whole.
 * @throws SegmentUnreadable when a file is not the one that was signed for, NoteRefused, NotRetrieved
 */
export async function* lookUp(
  options: ReadingOptions,
  stream: string,
): AsyncGenerator<{ manifest: Manifest; events: readonly RecordedEvent[] }> {
  const { store, format } = options
  const count = await countManifests(store)
  for (let number = 0; number < count; number++) {
    const { manifest } = await requireManifest(store, number, options)
    const rows = await rowsOf(manifest, options, stream)
    if (rows?.length === 0) {
      yield { manifest, events: [] }
      continue
    }
    const content = await signedContent(options, manifest.segment)
    const found = rows ? await format.readRows(content, rows) : await format.read(content)
    yield { manifest, events: found.map(({ event }) => event) }
  }
}

/** How many events `lookUp` would find, by the indexes alone; undefined where a segment has none. */
export async function countByIndex(options: ReadingOptions, stream: string): Promise<number | undefined> {
  const count = await countManifests(options.store)
  let events = 0
  for (let number = 0; number < count; number++) {
    const { manifest } = await requireManifest(options.store, number, options)
    const rows = await rowsOf(manifest, options, stream)
    if (!rows) return undefined
    events += rows.length
  }
  return events
}

async function rowsOf({ index }: Manifest, options: ReadingOptions, stream: string): Promise<readonly number[] | undefined> {
  return index && rowsIn(Buffer.from(await signedContent(options, index)).toString('latin1'), stream, options.sha256)
}
