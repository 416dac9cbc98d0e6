import { openArchiveStore } from '../../adapters/archive/open-store.ts'
import { parquetFormat } from '../../adapters/archive/parquet-format.ts'
import { verifyIdentity } from '../../adapters/identity/verify.ts'
import type { Settings } from '../../adapters/process/settings.ts'
import { sha256 } from '../../adapters/process/sha256.ts'
import type { Finding } from '../../audit/archive/findings.ts'
import { countManifests } from '../../audit/archive/manifests.ts'
import { verifyArchive } from '../../audit/archive/verifying.ts'
import { bytesToBase64 } from '../../domain/audit/base64.ts'
import type { NoteKey } from '../../domain/audit/signed-note.ts'
import { startSegmentThreads } from './segment-threads.ts'

/** Something in the archive is not what was archived; each line says what, and where. */
export class ArchiveRefused extends Error {
  override readonly name = 'ArchiveRefused'
  readonly code = 'archive_refused'
  constructor(findings: readonly Finding[]) {
    super(findings.map(lineOf).join('\n'))
  }
}

/** What holds of an archive, by the public key alone. @throws ArchiveRefused */
export async function verifyArchiveAt(
  url: string,
  key: NoteKey,
  kept: readonly string[],
  { archive }: Pick<Settings, 'archive'>,
): Promise<readonly string[]> {
  const place = { ...archive, url }
  const store = await openArchiveStore(place)
  const threads = startSegmentThreads(place, await countManifests(store))
  try {
    const options = {
      store,
      format: await parquetFormat(),
      key,
      verify: verifyIdentity,
      sha256,
    }
    const { segments, events, root, checkpoints, findings, unreferenced } = await verifyArchive({
      kept,
      ...options,
      ...(threads && { elsewhere: threads }),
      onSegment: ({ number }) => progress(number),
    })
    if (segments === 0) throw new Error(`there is no archive in ${store.place}`)
    const isColdAlone = findings.length > 0 && findings.every(({ code }) => code === 'segment_not_retrieved')
    if (isColdAlone) throw new Error(`${findings.length} segments are in the cold tier: ask for them with npm run archive -- --retrieve`)
    if (findings.length > 0) throw new ArchiveRefused(findings)
    return [
      `${events} events in ${segments} segments are what was archived, in their order, and ${checkpoints} checkpoints are of them`,
      `root ${bytesToBase64(root)}`,
      ...unreferenced.map((name) => `${name} belongs to no segment: a run that was interrupted has left it`),
    ]
  } finally {
    await threads?.close()
    await store.close()
  }
}

function progress(number: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\rsegment ${number} verified\x1b[K\r`)
}

function lineOf({ code, segment, file, leafIndex, event, message }: Finding): string {
  const place = [`segment ${segment}`, file, ...(leafIndex === undefined ? [] : [`event ${leafIndex} of the log`])].join(', ')
  const named = event ? ` (${event.type}, ${event.stream} revision ${event.revision}, id ${event.id})` : ''
  return `${code}: ${place}${named}: ${message}`
}
