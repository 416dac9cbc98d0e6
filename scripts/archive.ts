import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { openArchiveStore } from '../adapters/archive/open-store.ts'
import { parquetFormat } from '../adapters/archive/parquet-format.ts'
import { openLogIdentity } from '../adapters/identity/log-identity.ts'
import { verifyIdentity } from '../adapters/identity/verify.ts'
import { readSettings, type Settings } from '../adapters/process/settings.ts'
import { sha256 } from '../adapters/process/sha256.ts'
import { countManifests } from '../audit/archive/manifests.ts'
import { retrieveSegments, tierSegments, tiersOf } from '../audit/archive/tiers.ts'
import { archiveLog } from '../audit/archive/writing.ts'
import { CHECKPOINT_STREAM } from '../domain/audit/checkpoint-stream.ts'
import type { ArchiveStore } from '../domain/ports/archive.ts'
import type { EventLog } from '../domain/ports/event-log.ts'
import { openLog } from './history/log.ts'

const USAGE = `usage: npm run --silent archive [-- --to PLACE] [--segment-events N]   archive what the log holds and the archive does not
       npm run --silent archive -- --tiers                             move segments to the cold tier by their age
       npm run --silent archive -- --status                            which segments there are, and in which tier
       npm run --silent archive -- --retrieve FROM[..TO] [--days N]    ask for cold segments, by their numbers

  --to  a folder, or s3://bucket/prefix[?endpoint=…&region=…]; QUORATE_ARCHIVE_URL when left out, and else <data folder>/archive`

try {
  await archive()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

/** `npm run archive`. */
async function archive(): Promise<void> {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean', default: false } as const
  const { values } = parseArgs({ options: { to: text, 'segment-events': text, tiers: flag, status: flag, retrieve: text, days: text } })
  const settings = readSettings({
    ...process.env,
    ...(values.to === undefined ? {} : { QUORATE_ARCHIVE_URL: values.to }),
    ...(values['segment-events'] === undefined ? {} : { QUORATE_ARCHIVE_SEGMENT_EVENTS: values['segment-events'] }),
  })
  const store = await openArchiveStore(settings.archive)
  try {
    if (values.status) console.table(await tiersOf(store))
    else if (values.tiers)
      console.log(JSON.stringify({ moved: await tierSegments(store, await keyOf(settings), settings.archive.coldDays) }))
    else if (values.retrieve !== undefined)
      console.log(JSON.stringify({ requested: await retrieve(store, settings, values.retrieve, values.days) }))
    else await archiveAll(store, settings)
  } finally {
    await store.close()
  }
}

async function archiveAll(store: ArchiveStore, settings: Settings): Promise<void> {
  const { log, source, close } = await openLog(settings)
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort()).once('SIGTERM', () => stop.abort())
  try {
    const mayBeNew = existsSync(settings.dataDir) && (await countManifests(store)) === 0 && !(await isSigned(log))
    const signer = await openLogIdentity({ dataDir: settings.dataDir, origin: settings.logOrigin, mayBeNew })
    const begun = performance.now()
    let events = 0
    let bytes = 0
    const newest = await archiveLog({
      ...signer,
      verify: verifyIdentity,
      log,
      store,
      format: await parquetFormat(),
      sha256,
      segmentEvents: settings.archive.segmentEvents,
      signal: stop.signal,
      onSegment({ number, count, segment }) {
        events += count
        bytes += segment.bytes
        console.error(`segment ${number}: ${count} events, ${segment.bytes} bytes`)
      },
    })
    const seconds = (performance.now() - begun) / 1_000
    const figures = {
      seconds: round(seconds),
      eventsPerSecond: Math.round(events / seconds),
      maxRssMiB: Math.round(process.resourceUsage().maxRSS / 1_024),
    }
    console.log(
      JSON.stringify({ from: source, to: store.place, archived: events, bytes, segments: (newest?.number ?? -1) + 1, ...figures }),
    )
  } finally {
    await close()
  }
}

/** Whether there is a key already, here or elsewhere, that has signed the log. */
async function isSigned(log: Pick<EventLog, 'readStream'>): Promise<boolean> {
  for await (const _ of log.readStream(CHECKPOINT_STREAM, { limit: 1 })) return true
  return false
}

async function retrieve(store: ArchiveStore, settings: Settings, range: string, days = '7'): Promise<readonly string[]> {
  const [, from, to = from] = /^(\d{1,8})(?:\.\.(\d{1,8}))?$/.exec(range) ?? []
  if (from === undefined || !/^[1-9]\d{0,2}$/.test(days)) throw new Error(USAGE)
  return retrieveSegments(store, await keyOf(settings), { from: Number(from), to: Number(to) }, Number(days))
}

async function keyOf({ dataDir, logOrigin }: Settings) {
  const { key } = await openLogIdentity({ dataDir, origin: logOrigin, mayBeNew: false })
  return { key, verify: verifyIdentity }
}

function round(seconds: number): number {
  return Number(seconds.toFixed(2))
}
