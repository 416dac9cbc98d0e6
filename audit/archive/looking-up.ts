import type { Manifest } from '../../domain/archive/manifest.ts'
import { rowsIn } from '../../domain/archive/segment-index.ts'
import type { RecordedEvent } from '../../domain/ports/event-log.ts'
import { readManifests } from './manifests.ts'
import { type ReadingOptions, signedContent } from './reading.ts'

/**
 * The events of a stream or, where it is the stream of a wallet, of the wallet; by each segment's index only those that may be among them, to be looked at. A
 * segment without an index is read whole, some thousands of events at a time.
 * @throws SegmentUnreadable when a file is not the one that was signed for, NoteRefused, NotRetrieved
 */
export async function* lookUp(
  options: ReadingOptions,
  stream: string,
): AsyncGenerator<{ manifest: Manifest; events: readonly RecordedEvent[] }> {
  const { store, format } = options
  for await (const manifest of readManifests(store, options)) {
    const rows = await rowsOf(manifest, options, stream)
    if (rows?.length === 0) {
      yield { manifest, events: [] }
      continue
    }
    const content = await signedContent(options, manifest.segment)
    const found = rows ? [await format.readRows(content, rows)] : format.read(content)
    for await (const group of found) yield { manifest, events: group.map(({ event }) => event) }
  }
}

/** How many events `lookUp` would find, by the indexes alone; undefined where a segment has none. */
export async function countByIndex(options: ReadingOptions, stream: string): Promise<number | undefined> {
  let events = 0
  for await (const manifest of readManifests(options.store, options)) {
    const rows = await rowsOf(manifest, options, stream)
    if (!rows) return undefined
    events += rows.length
  }
  return events
}

async function rowsOf({ index }: Manifest, options: ReadingOptions, stream: string): Promise<readonly number[] | undefined> {
  return index && rowsIn(Buffer.from(await signedContent(options, index)).toString('latin1'), stream, options.sha256)
}
