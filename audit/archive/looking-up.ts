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
  const { store, format, sha256 } = options
  const count = await countManifests(store)
  for (let number = 0; number < count; number++) {
    const { manifest } = await requireManifest(store, number, options)
    const index = manifest.index && Buffer.from(await signedContent(options, manifest.index)).toString('latin1')
    const rows = index === undefined ? undefined : rowsIn(index, stream, sha256)
    if (rows?.length === 0) {
      yield { manifest, events: [] }
      continue
    }
    const content = await signedContent(options, manifest.segment)
    const found = rows ? await format.readRows(content, rows) : await format.read(content)
    yield { manifest, events: found.map(({ event }) => event) }
  }
}
