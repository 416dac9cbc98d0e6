import { parseArgs } from 'node:util'
import { openArchiveStore } from '../adapters/archive/open-store.ts'
import { parquetFormat } from '../adapters/archive/parquet-format.ts'
import { verifyIdentity } from '../adapters/identity/verify.ts'
import { readSettings } from '../adapters/process/settings.ts'
import { sha256 } from '../adapters/process/sha256.ts'
import { countManifests } from '../audit/archive/manifests.ts'
import { restoreArchive } from '../audit/archive/restoring.ts'
import { bytesToBase64 } from '../domain/audit/base64.ts'
import { PLATFORM_TENANT } from '../http/route.ts'
import { openLog } from './history/log.ts'
import { readKey } from './verify/keys.ts'

const USAGE = `usage: npm run --silent restore -- --archive PLACE --key VKEY|FILE

Into the event store of QUORATE_EVENTSTORE_URL, or the embedded one of QUORATE_DATA_DIR; it must be empty.`

try {
  await restore()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

/** `npm run restore`: an archive into an empty event store. */
async function restore(): Promise<void> {
  const text = { type: 'string' } as const
  const { values } = parseArgs({ options: { archive: text, key: text } })
  if (values.archive === undefined || values.key === undefined) throw new Error(USAGE)
  const settings = readSettings(process.env)
  const key = await readKey(values.key)
  const store = await openArchiveStore({ ...settings.archive, url: values.archive })
  if ((await countManifests(store)) === 0) throw new Error(`there is no archive in ${store.place}`)
  const { log, source, close } = await openLog(settings, { mayBeNew: true })
  try {
    const begun = performance.now()
    const { events, root, checkpoints } = await restoreArchive({
      store,
      log,
      key,
      format: await parquetFormat(),
      verify: verifyIdentity,
      sha256,
      tenant: PLATFORM_TENANT,
      onProgress: (count) => console.error(`${count} events`),
    })
    const seconds = Number(((performance.now() - begun) / 1_000).toFixed(2))
    console.log(JSON.stringify({ into: source, events, checkpoints, root: bytesToBase64(root), seconds }))
  } finally {
    await close()
    await store.close()
  }
}
