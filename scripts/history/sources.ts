import { openArchiveStore } from '../../adapters/archive/open-store.ts'
import { openLogIdentity } from '../../adapters/identity/log-identity.ts'
import { verifyIdentity } from '../../adapters/identity/verify.ts'
import type { ReadModelStore } from '../../adapters/mongodb/connect.ts'
import type { Settings } from '../../adapters/process/settings.ts'
import { sha256 } from '../../adapters/process/sha256.ts'
import { countManifests } from '../../audit/archive/manifests.ts'
import type { HistorySources } from '../../audit/history.ts'
import { readEndpoints } from '../supervisor/endpoints.ts'
import { readKey } from '../verify/keys.ts'

export const SOURCES = ['both', 'log', 'archive'] as const
export type Source = (typeof SOURCES)[number]

export type OpenedSources = HistorySources & { readonly places: readonly string[]; close(): Promise<void> }

/** The log, the archive as far as there is one, or both. `key` is the log's vkey, or the file that it is in; that of the data folder when undefined. */
export async function openSources(settings: Settings, source: Source, key: string | undefined): Promise<OpenedSources> {
  const archive = source === 'log' ? undefined : await openArchive(settings, key)
  if (source === 'archive' && !archive) throw new Error(`there is nothing in the archive ${settings.archive.url}`)
  const opened = source === 'archive' ? undefined : await openLogHere(settings)
  const index = opened && (await indexHere(settings))
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

// Drivers take longer to load than a wallet to replay: each is loaded where it is needed.

async function openLogHere(settings: Settings) {
  const { openLog } = await import('./log.ts')
  return openLog(settings)
}

/** What the keeper of the tree keeps beside the log, where it can be had: without it the log is read from end to end. It is connected to when it is asked. */
async function indexHere({ eventStoreUrl, mongodbUrl, mongodbDatabase, dataDir }: Settings) {
  const url = mongodbUrl ?? (eventStoreUrl === undefined ? (await readEndpoints(dataDir))?.mongodb : undefined)
  if (url === undefined) return undefined
  let connecting: Promise<ReadModelStore | undefined> | undefined
  const store = () => {
    connecting ??= import('../../adapters/mongodb/connect.ts')
      .then(({ connectMongo }) => connectMongo({ url, database: mongodbDatabase }))
      .catch(() => undefined)
    return connecting
  }
  const documents: HistorySources['documents'] = {
    get: async (...asked) => (await store())?.documents.get(...asked),
    find: async (...asked) => (await (await store())?.documents.find(...asked)) ?? [],
  }
  return { documents, close: async () => (await connecting)?.close() }
}

async function openArchive(settings: Settings, vkey: string | undefined) {
  const store = await openArchiveStore(settings.archive)
  if ((await countManifests(store)) === 0) {
    await store.close()
    return undefined
  }
  const { parquetFormat } = await import('../../adapters/archive/parquet-format.ts')
  const { dataDir, logOrigin } = settings
  const key = vkey === undefined ? (await openLogIdentity({ dataDir, origin: logOrigin, mayBeNew: false })).key : await readKey(vkey)
  return { reading: { store, key, format: await parquetFormat(), verify: verifyIdentity, sha256 } }
}
