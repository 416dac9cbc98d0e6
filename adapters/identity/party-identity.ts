import { type KeyObject, sign } from 'node:crypto'
import { join } from 'node:path'
import type { Identity, PartyKeys } from '../../domain/ports/identity.ts'
import type { Vault } from '../../domain/ports/vault.ts'
import { readIfPresent } from '../keystore/private-file.ts'
import { publicKeyOf } from './raw-key.ts'
import { IdentityRefused } from './refused.ts'
import { openSealedKey } from './sealed-key.ts'
import { verifyIdentity } from './verify.ts'

export type PartyIdentity = {
  identity: Identity
  keys: PartyKeys
  /** X25519, which the party seals with. */
  sealingKey: KeyObject
}

/**
 * Opens the keys that a party proves who it is with, which are made at the first time. What it signs with is in its vault where that can hold such a
 * key, and else a file that the vault seals, in `<dir>/identity`. What it seals with is always such a file: HPKE needs the key itself.
 * @throws IdentityRefused, Unavailable
 */
export async function openPartyIdentity({ partyId, dir, vault }: { partyId: string; dir: string; vault: Vault }): Promise<PartyIdentity> {
  const fileOf = (name: string) => join(dir, 'identity', name)
  const signing = await openSigningKey({ partyId, file: fileOf('signing-key'), vault })
  const sealingKey = await openSealedKey({ file: fileOf('sealing-key'), type: 'x25519', partyId, vault })
  const identity = { id: partyId, ...signing }
  await requireWhole(identity)
  return { identity, keys: { signing: identity.publicKey, sealing: publicKeyOf(sealingKey) }, sealingKey }
}

type SigningKey = Omit<Identity, 'id'>

/** A key that was once sealed in a file is stayed with, whatever the vault has learned since: it is the one that others know. */
async function openSigningKey({ partyId, file, vault }: { partyId: string; file: string; vault: Vault }): Promise<SigningKey> {
  const inVault = (await readIfPresent(file)) ? undefined : await vault.signingKey()
  return inVault ?? softwareKey(await openSealedKey({ file, type: 'ed25519', partyId, vault }))
}

/** Signs in this process, with a key that is in its memory. */
export function softwareKey(privateKey: KeyObject): SigningKey {
  return {
    publicKey: publicKeyOf(privateKey),
    sign: async (message) => sign(null, message, privateKey),
  }
}

async function requireWhole({ id, publicKey, sign }: Identity): Promise<void> {
  const message = new TextEncoder().encode('quorate identity check')
  if (!verifyIdentity(publicKey, message, await sign(message)))
    throw new IdentityRefused('key_unreadable', `the vault of ${id} signs with another key than the one it shows`)
}
