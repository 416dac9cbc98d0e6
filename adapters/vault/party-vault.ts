import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Vault } from '../../domain/ports/vault.ts'
import { readOrCreatePassphrase } from '../keystore/passphrase.ts'
import { openKeystore } from '../keystore/vault.ts'
import { TokenRefused } from '../pkcs11/refused.ts'
import { findSoftHsm, prepareSoftHsm } from '../pkcs11/softhsm.ts'
import { openPkcs11Vault } from '../pkcs11/vault.ts'
import { InvalidSetting } from '../process/settings.ts'

export type PartyVaultOptions = {
  partyId: string
  /** All that the party keeps. */
  dir: string
  token: { modulePath: string; slot: number | undefined; pin: string } | undefined
}

/** The configured token; or a SoftHSM token of the party's own; or, where there is neither, a keystore. Whichever holds shares already is stayed with. */
export async function openPartyVault({ token, dir, partyId }: PartyVaultOptions): Promise<Vault> {
  const keyLabel = `quorate-${partyId}`
  if (token) return openPkcs11Vault({ ...token, keyLabel })
  const keystore = join(dir, 'keystore')
  const softHsm = join(dir, 'softhsm')
  if (await isEmpty(keystore)) {
    const vault = await openSoftHsmVault(softHsm, keyLabel)
    if (vault) return vault
    if (!(await isEmpty(join(softHsm, 'tokens'))))
      throw new InvalidSetting(`the shares of ${partyId} are sealed by a SoftHSM token, and SoftHSM or the package pkcs11js is gone`)
  }
  return openKeystore({ dir: keystore, passphrase: await readOrCreatePassphrase(join(dir, 'keystore-passphrase')) })
}

/** Undefined when SoftHSM or the package that drives it is not installed. */
async function openSoftHsmVault(dir: string, label: string): Promise<Vault | undefined> {
  if ((await findSoftHsm()) === undefined) return undefined
  const secret = Buffer.from(await readOrCreatePassphrase(join(dir, 'pins')))
  const [pin, soPin] = [secret.subarray(0, 16).toString('hex'), secret.subarray(16).toString('hex')]
  try {
    const token = await prepareSoftHsm({ dir, label, pin, soPin })
    return token && (await openPkcs11Vault({ ...token, pin, keyLabel: label }))
  } catch (error) {
    if (error instanceof TokenRefused && (error.code === 'driver_missing' || error.code === 'module_not_loaded')) return undefined
    throw error
  }
}

async function isEmpty(dir: string): Promise<boolean> {
  try {
    return (await readdir(dir)).length === 0
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true
    throw error
  }
}
