import { hash } from 'node:crypto'
import { userInfo } from 'node:os'
import { parseArgs } from 'node:util'
import { openArchiveStore } from '../adapters/archive/open-store.ts'
import { parquetFormat } from '../adapters/archive/parquet-format.ts'
import { connectScavengedStore } from '../adapters/eventstore/scavenged-store.ts'
import { verifyIdentity } from '../adapters/identity/verify.ts'
import { readSettings, type Settings } from '../adapters/process/settings.ts'
import { NotHeld, requireArchive } from '../audit/archive/holding.ts'
import type { ReadingOptions } from '../audit/archive/reading.ts'
import { NoteRefused } from '../domain/audit/signed-note.ts'
import { SegmentUnreadable } from '../domain/ports/archive.ts'
import { ScavengeUnderWay } from '../domain/ports/scavenged-store.ts'
import { openLog } from './history/log.ts'
import { HistoryHidden, scavengeBehindArchive } from './scavenge/behind-archive.ts'
import { ArchiveRefused, verifyArchiveAt } from './verify/archive.ts'
import { readKey, readNoteFile } from './verify/keys.ts'

const USAGE = `usage: npm run --silent scavenge -- --archive PLACE --key VKEY|FILE [--older-than DAYS] [--witness FILE …] [--by NAME] [--dry-run]

Has the event store remove what no read of a stream can show any more, once the archive is verified and holds the log.
  --archive     a folder, or s3://bucket/prefix
  --key         the log's public key: its vkey, or the file that it is in (<data folder>/audit/vkey)
  --older-than  events that were recorded longer ago must all be archived; QUORATE_ARCHIVE_HOT_DAYS (30) when left out
  --witness     a checkpoint that was kept elsewhere, which the archive must hold
  --by          who has it done, for the event that says so; the user of this machine when left out
  --dry-run     what would be removed, and nothing else`

/** The store has begun, and not done it. */
class ScavengeFailed extends Error {
  override readonly name = 'ScavengeFailed'
  readonly code = 'scavenge_failed'
}

const DAY_MS = 24 * 3_600_000
/** Refusals, for which the exit code is 1; it is 2 when it could not be found out. */
const REFUSALS = [ArchiveRefused, NotHeld, NoteRefused, SegmentUnreadable, HistoryHidden, ScavengeUnderWay, ScavengeFailed]

try {
  await scavenge()
} catch (error) {
  const { code, message } = error as Error & { code?: string }
  // Findings in an archive have codes of their own.
  console.error(code === undefined || error instanceof ArchiveRefused ? message : `${code}: ${message}`)
  process.exitCode = REFUSALS.some((refusal) => error instanceof refusal) ? 1 : 2
}

/** `npm run scavenge`. */
async function scavenge(): Promise<void> {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    options: {
      ...{ archive: text, key: text, 'older-than': text, by: text },
      witness: { ...text, multiple: true, default: [] as string[] },
      'dry-run': { type: 'boolean', default: false },
    },
  })
  const { archive: url, key: vkey, by = userInfo().username } = values
  if (url === undefined || vkey === undefined) throw new Error(USAGE)
  const settings = readSettings({
    ...process.env,
    ...(values['older-than'] === undefined ? {} : { QUORATE_ARCHIVE_HOT_DAYS: values['older-than'] }),
  })
  const key = await readKey(vkey)
  const archive = await openArchiveStore({ ...settings.archive, url })
  try {
    await requireArchive(archive)
    for (const line of await verifyArchiveAt(url, key, await Promise.all(values.witness.map(readNoteFile)), settings)) console.error(line)
    const reading = { store: archive, key, format: await parquetFormat(), verify: verifyIdentity, sha256 }
    await scavengeLog(reading, { settings, by, isDryRun: values['dry-run'] })
  } finally {
    await archive.close()
  }
}

async function scavengeLog(
  archive: ReadingOptions,
  { settings, by, isDryRun }: { settings: Settings; by: string; isDryRun: boolean },
): Promise<void> {
  const { log, url, source, close } = await openLog(settings)
  const store = connectScavengedStore(url)
  try {
    const recordedBefore = new Date(Date.now() - settings.archive.hotDays * DAY_MS)
    const onStarted = (id: string) => console.error(`scavenge ${id} is under way: a store that runs goes on with it when this is ended`)
    const { done, ...found } = await scavengeBehindArchive({ log, store, archive, recordedBefore, by, isDryRun, onStarted })
    const figures = {
      store: source,
      archive: archive.store.place,
      archivedBefore: recordedBefore,
      ...found,
      position: found.position.toString(),
    }
    console.log(JSON.stringify(done ? { ...figures, by, ...done } : figures))
    if (done && done.result !== 'Success') throw new ScavengeFailed(`the store says: ${done.result} ${done.error}`.trim())
  } finally {
    await store.close()
    await close()
  }
}

function sha256(content: Uint8Array): Uint8Array {
  return hash('sha256', content, 'buffer')
}
