import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { encodeFields } from '../../domain/fields.ts'
import type { Vault } from '../../domain/ports/vault.ts'
import { createPrivateFile, readIfPresent } from '../keystore/private-file.ts'

const KEY_BYTES = 32

/**
 * The key that requests are digested under, in the file `request-key` of the folder, sealed by the vault and made when it is missing. Events keep the digests:
 * without it nobody can try which name was in a request whose other fields he knows.
 * @throws UnsealFailed when it is sealed by another vault; Unavailable
 */
export async function openRequestKey({ dir, vault }: { dir: string; vault: Vault }): Promise<Uint8Array> {
  const file = join(dir, 'request-key')
  const purpose = encodeFields('quorate request key')
  const sealed =
    (await readIfPresent(file)) ?? (await createPrivateFile(file, Buffer.from(await vault.seal(randomBytes(KEY_BYTES), purpose))))
  return vault.open(sealed, purpose)
}
