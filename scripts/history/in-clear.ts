import { existsSync } from 'node:fs'
import { type DataKeySettings, readDataKeySettings } from '../../adapters/process/settings.ts'
import { openOrSayWhyNot } from '../../domain/personal-data/personal-fields.ts'
import { isSealed } from '../../domain/personal-data/sealed.ts'
import type { DataKeys } from '../../domain/ports/data-keys.ts'

type State = { readonly [part: string]: unknown }

export type Opening = {
  /** What is about people as it was written, null where it has been erased, and sealed where its key is damaged. @throws InvalidSetting when its keys are sealed by another vault */
  inClear(state: State): Promise<State>
  close(): Promise<void>
}

/** Where this machine keeps no data keys, everything stays sealed. Where nothing is sealed, no vault is opened. */
export function openPersonalHere(dataDir: string): Opening {
  const settings = readDataKeySettings(process.env, dataDir)
  if (!existsSync(settings.dir)) return { inClear: async (state) => state, close: async () => {} }
  let keys: Promise<DataKeys> | undefined
  const keysHere = () => {
    keys ??= openKeys(settings)
    return keys
  }
  return {
    inClear: async (state) => (await opened(keysHere, state, undefined)) as State,
    close: async () => (await keys)?.close(),
  }
}

/** A vault takes a while to load, and longer to open. */
async function openKeys(settings: DataKeySettings): Promise<DataKeys> {
  const [{ openKeyFolder }, { openDataKeyVault }] = await Promise.all([
    import('../../adapters/data-keys/key-folder.ts'),
    import('../../adapters/vault/data-key-vault.ts'),
  ])
  return openKeyFolder({ dir: settings.dir, vault: await openDataKeyVault(settings) })
}

/** Sealed fields were sealed under their names, for the wallet that they are of. */
async function opened(keysHere: () => Promise<DataKeys>, value: unknown, walletId: string | undefined): Promise<unknown> {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return Promise.all(value.map((each) => opened(keysHere, each, walletId)))
  const own = 'walletId' in value && typeof value.walletId === 'string' ? value.walletId : walletId
  const fields = Object.entries(value).map(async ([field, each]) => {
    if (own === undefined || !isSealed(each)) return [field, await opened(keysHere, each, own)]
    const found = await openOrSayWhyNot(await keysHere(), own, field, each)
    return [field, 'shown' in found ? found.shown : found.unreadable ? each : null]
  })
  return Object.fromEntries(await Promise.all(fields))
}
