import { parentPort, workerData } from 'node:worker_threads'
import { type ArchivePlace, openArchiveStore } from '../../adapters/archive/open-store.ts'
import { parquetFormat } from '../../adapters/archive/parquet-format.ts'
import { sha256 } from '../../adapters/process/sha256.ts'
import { checkSegment } from '../../audit/archive/checking-segment.ts'
import type { Manifest } from '../../domain/archive/manifest.ts'

/** Checks segments of an archive one after the other, for `startSegmentThreads`. What fails ends the thread. */
const store = await openArchiveStore(workerData as ArchivePlace)
const format = await parquetFormat()

parentPort?.on('message', async (manifest: Manifest) => {
  parentPort?.postMessage(await checkSegment(manifest, { store, format, sha256 }))
})
