import { openArchiveStore } from '../../adapters/archive/open-store.ts'
import { parquetFormat } from '../../adapters/archive/parquet-format.ts'
import { openLogIdentity } from '../../adapters/identity/log-identity.ts'
import { verifyIdentity } from '../../adapters/identity/verify.ts'
import { connectMongo } from '../../adapters/mongodb/connect.ts'
import type { Settings } from '../../adapters/process/settings.ts'
import { sha256 } from '../../adapters/process/sha256.ts'
import { countManifests } from '../../audit/archive/manifests.ts'
import type { HistorySources } from '../../audit/history.ts'
import { readEndpoints } from '../supervisor/endpoints.ts'
import { readKey } from '../verify/keys.ts'
import { openLog } from './log.ts'

export const SOURCES = ['both', 'log', 'archive'] as const
export type Source = (typeof SOURCES)[number]

export type OpenedSources = HistorySources & { readonly places: readonly string[]; close(): Promise<void> }

/** The log, the archive as far as there is one, or both. `key` is the log's vkey, or the file that it is in; that of the data folder when undefined. */
export async function openSources(settings: Settings, source: Source, key: string | undefined): Promise<OpenedSources> {
  const archive = source === 'log' ? undefined : await openArchive(settings, key)
  if (source === 'archive' && !archive) throw new Error(`there is nothing in the archive ${settings.archive.url}`)
  const opened = source === 'archive' ? undefined : await openLog(settings)
  const index = opened && (await openIndex(settings))
  return {
    log: opened?.log,
    archive: archive?.reading,
    documents: index?.documents,
    places: [...(archive ? [archive.reading.store.place] : []), ...(opened ? [opened.source] : [])],
    async close() {
      await index?.close()
      await opened?.close()
      await archive?.reading.store.close()
    },
  }
}

/** What the keeper of the tree keeps beside the log, where it can be had: without it the log is read from end to end. */
async function openIndex({ eventStoreUrl, mongodbUrl, mongodbDatabase, dataDir }: Settings) {
  const url = mongodbUrl ?? (eventStoreUrl === undefined ? (await readEndpoints(dataDir))?.mongodb : undefined)
  return url === undefined ? undefined : connectMongo({ url, database: mongodbDatabase }).catch(() => undefined)
}

async function openArchive(settings: Settings, vkey: string | undefined) {
  const store = await openArchiveStore(settings.archive)
  if ((await countManifests(store)) === 0) {
    await store.close()
    return undefined
  }
  const { dataDir, logOrigin } = settings
  const key = vkey === undefined ? (await openLogIdentity({ dataDir, origin: logOrigin, mayBeNew: false })).key : await readKey(vkey)
  return { reading: { store, key, format: await parquetFormat(), verify: verifyIdentity, sha256 } }
}
