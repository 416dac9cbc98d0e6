import { existsSync } from 'node:fs'
import { openKeyFolder } from '../../adapters/data-keys/key-folder.ts'
import { readDataKeySettings } from '../../adapters/process/settings.ts'
import { openDataKeyVault } from '../../adapters/vault/data-key-vault.ts'
import { openPersonal } from '../../domain/personal-data/personal-fields.ts'
import { isSealed } from '../../domain/personal-data/sealed.ts'
import type { DataKeys } from '../../domain/ports/data-keys.ts'

type State = { readonly [part: string]: unknown }

export type Opening = {
  /** What is about people as it was written, and null where it has been erased. */
  inClear(state: State): Promise<State>
  close(): Promise<void>
}

/** Where this machine keeps no data keys, everything stays sealed. @throws InvalidSetting when they are sealed by another vault */
export async function openPersonalHere(dataDir: string): Promise<Opening> {
  const settings = readDataKeySettings(process.env, dataDir)
  if (!existsSync(settings.dir)) return { inClear: async (state) => state, close: async () => {} }
  const keys = openKeyFolder({ dir: settings.dir, vault: await openDataKeyVault(settings) })
  return { inClear: async (state) => (await opened(keys, state, undefined)) as State, close: () => keys.close() }
}

/** Sealed fields were sealed under their names, for the wallet that they are of. */
async function opened(keys: Pick<DataKeys, 'open'>, value: unknown, walletId: string | undefined): Promise<unknown> {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return Promise.all(value.map((each) => opened(keys, each, walletId)))
  const own = 'walletId' in value && typeof value.walletId === 'string' ? value.walletId : walletId
  const fields = Object.entries(value).map(async ([field, each]) => {
    if (own === undefined || !isSealed(each)) return [field, await opened(keys, each, own)]
    return [field, (await openPersonal(keys, own, field, each)) ?? null]
  })
  return Object.fromEntries(await Promise.all(fields))
}
