import { join } from 'node:path'
import type { Identity } from '../../domain/ports/identity.ts'
import { createPrivateFile, isExposed, readIfPresent } from '../keystore/private-file.ts'
import { softwareKey } from './party-identity.ts'
import { generatePrivateKey, readPrivateKey } from './raw-key.ts'
import { IdentityRefused } from './refused.ts'

/**
 * Opens the key that a coordinator signs its requests with: PKCS#8 in DER, in the file `<dataDir>/coordinator/identity`, which is made when it is missing. There is no vault to
 * seal it: whoever reads the file can ask parties as this coordinator does, and no more.
 * @throws IdentityRefused
 */
export async function openCoordinatorIdentity({ id, dataDir }: { id: string; dataDir: string }): Promise<Identity> {
  const file = join(dataDir, 'coordinator', 'identity')
  const der = (await readIfPresent(file)) ?? (await createPrivateFile(file, generatePrivateKey('ed25519')))
  const key = readPrivateKey('ed25519', der)
  der.fill(0)
  if (!key) throw new IdentityRefused('key_unreadable', `${file} does not hold an Ed25519 key`)
  if (await isExposed(file)) throw new IdentityRefused('key_exposed', `${file} must be readable by its owner only (mode 0600)`)
  return { id, ...softwareKey(key) }
}
