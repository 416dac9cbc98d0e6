import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { UnsealFailed, type Vault } from '../../domain/ports/vault.ts'
import { readOrCreatePassphrase } from '../keystore/passphrase.ts'
import { createPrivateFile, readIfPresent } from '../keystore/private-file.ts'
import { openKeystore } from '../keystore/vault.ts'
import { openPkcs11Vault } from '../pkcs11/vault.ts'
import { FolderInUse, lockFolder } from '../process/folder-lock.ts'
import { type DataKeySettings, InvalidSetting } from '../process/settings.ts'

const KEY_LABEL = 'quorate-data-keys'
const CHECK = new TextEncoder().encode('quorate data keys')
/** The passphrase is 32 random bytes: there is nothing to be slowed down who guesses. */
const COST = { N: 2 ** 14, r: 8, p: 1 }
const LOCK_WITHIN_MS = 10_000
const LOOK_EVERY_MS = 20

/**
 * What data keys are sealed by: the configured token, else a keystore in their folder. Processes that start together open the same.
 * @throws InvalidSetting when the keys in the folder are sealed by another one
 */
export async function openDataKeyVault({ dir, token }: DataKeySettings): Promise<Vault> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const vault = await openVault({ dir, token })
  const file = join(dir, 'check')
  const check = (await readIfPresent(file)) ?? (await createPrivateFile(file, Buffer.from(await vault.seal(CHECK, CHECK))))
  try {
    await vault.open(check, CHECK)
    return vault
  } catch (error) {
    await vault.close()
    throw error instanceof UnsealFailed
      ? new InvalidSetting(`the data keys in ${dir} are sealed by another vault than ${vault.description}`)
      : error
  }
}

async function openVault({ dir, token }: DataKeySettings): Promise<Vault> {
  if (!token)
    return openKeystore({ dir: join(dir, 'keystore'), passphrase: await readOrCreatePassphrase(join(dir, 'passphrase')), cost: COST })
  // Two that find no key in the token would make one each.
  const lock = await lockWhenFree(dir)
  try {
    return await openPkcs11Vault({ ...token, keyLabel: KEY_LABEL })
  } finally {
    lock.release()
  }
}

/** @throws FolderInUse when another process keeps it for too long */
async function lockWhenFree(dir: string): Promise<{ release(): void }> {
  const until = Date.now() + LOCK_WITHIN_MS
  for (;;) {
    try {
      return lockFolder(dir)
    } catch (error) {
      if (!(error instanceof FolderInUse) || Date.now() > until) throw error
      await delay(LOOK_EVERY_MS)
    }
  }
}
