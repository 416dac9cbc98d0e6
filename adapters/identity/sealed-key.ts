import type { KeyObject } from 'node:crypto'
import { encodeFields } from '../../domain/fields.ts'
import { UnsealFailed, type Vault } from '../../domain/ports/vault.ts'
import { createPrivateFile, readIfPresent } from '../keystore/private-file.ts'
import { generatePrivateKey, type KeyType, readPrivateKey } from './raw-key.ts'
import { IdentityRefused } from './refused.ts'

export type SealedKeyOptions = { file: string; type: KeyType; partyId: string; vault: Vault }

/**
 * A party's private key, sealed by its vault in a file, which is made when it is missing. It is in the memory of this process from then on.
 * @throws IdentityRefused when the vault does not open it, Unavailable
 */
export async function openSealedKey({ file, type, partyId, vault }: SealedKeyOptions): Promise<KeyObject> {
  const purpose = encodeFields('quorate identity', partyId, type)
  const sealed = (await readIfPresent(file)) ?? (await create())
  const der = await unseal()
  try {
    const key = readPrivateKey(type, der)
    if (!key) throw unreadable()
    return key
  } finally {
    der.fill(0)
  }

  async function create(): Promise<Buffer> {
    const der = generatePrivateKey(type)
    try {
      return await createPrivateFile(file, Buffer.from(await vault.seal(der, purpose)))
    } finally {
      der.fill(0)
    }
  }

  async function unseal(): Promise<Buffer> {
    try {
      return Buffer.from(await vault.open(sealed, purpose))
    } catch (error) {
      throw error instanceof UnsealFailed ? unreadable() : error
    }
  }

  function unreadable(): IdentityRefused {
    return new IdentityRefused(
      'key_unreadable',
      `the vault of ${partyId} does not open ${file}: it is damaged, or of another party or vault`,
    )
  }
}
