import { randomBytes } from 'node:crypto'
import { createPrivateFile, isExposed, readIfPresent } from './private-file.ts'
import { KeystoreRefused } from './refused.ts'

const PASSPHRASE_BYTES = 32

/**
 * Reads the passphrase of a keystore from a file, which is made with 32 random bytes when it is missing. For development only:
 * it protects a copy of the keystore that leaves the machine without this file, and nothing against whoever reads the party's folder.
 * @throws KeystoreRefused when the file has another length, or when others than its owner may read it
 */
export async function readOrCreatePassphrase(file: string): Promise<Uint8Array> {
  const passphrase = (await readIfPresent(file)) ?? (await createPrivateFile(file, randomBytes(PASSPHRASE_BYTES)))
  if (passphrase.length !== PASSPHRASE_BYTES)
    throw new KeystoreRefused('passphrase_file_invalid', `${file} must hold ${PASSPHRASE_BYTES} bytes`)
  if (await isExposed(file)) throw new KeystoreRefused('passphrase_file_exposed', `${file} must be readable by its owner only (mode 0600)`)
  return passphrase
}
