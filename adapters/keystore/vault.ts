import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Unavailable } from '../../domain/ports/event-log.ts'
import { UnsealFailed, type Vault } from '../../domain/ports/vault.ts'
import type { ScryptCost } from './header.ts'
import { newKey, STRONG, unlock } from './passphrase-key.ts'
import { createPrivateFile, readIfPresent } from './private-file.ts'

const CIPHER = 'aes-256-gcm'
const FORMAT = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16

export type KeystoreOptions = {
  dir: string
  passphrase: Uint8Array | string
  /** For a keystore that is made now; an existing one keeps its own. */
  cost?: ScryptCost
}

/**
 * A vault of software: AES-256-GCM (NIST SP 800-38D) under a key derived by scrypt from a passphrase and the salt in `keystore.json`,
 * which is made in `dir` at the first opening. Sealed bytes are format (1 byte), nonce (12), ciphertext, tag (16). Nonces are random, so one
 * keystore must not seal more than 2^32 times. The keys are in this process' memory: an HSM keeps them from whoever reads that.
 * @throws KeystoreRefused for a wrong passphrase or a damaged header
 */
export async function openKeystore({ dir, passphrase, cost = STRONG }: KeystoreOptions): Promise<Vault> {
  const file = join(dir, 'keystore.json')
  const existing = await readIfPresent(file)
  const key = existing ? await unlock(existing, passphrase) : await create(file, passphrase, cost)
  let open = true

  function assertOpen(): void {
    if (!open) throw new Unavailable('keystore')
  }

  return {
    description: `keystore (${dir})`,
    async seal(plaintext, associatedData) {
      assertOpen()
      return seal(key, plaintext, associatedData)
    },
    async open(sealed, associatedData) {
      assertOpen()
      return unseal(key, sealed, associatedData)
    },
    async signingKey() {
      return undefined
    },
    async ping() {
      assertOpen()
    },
    async close() {
      open = false
      key.fill(0)
    },
  }
}

async function create(file: string, passphrase: Uint8Array | string, cost: ScryptCost): Promise<Buffer> {
  const { header, key } = await newKey(passphrase, cost)
  const kept = await createPrivateFile(file, header)
  if (kept.equals(header)) return key
  key.fill(0)
  return unlock(kept, passphrase)
}

function seal(key: Buffer, plaintext: Uint8Array, associatedData: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(bind(associatedData))
  const ciphertext = cipher.update(plaintext)
  cipher.final()
  return Buffer.concat([Buffer.of(FORMAT), nonce, ciphertext, cipher.getAuthTag()])
}

function unseal(key: Buffer, sealed: Uint8Array, associatedData: Uint8Array): Uint8Array {
  if (sealed[0] !== FORMAT || sealed.length < 1 + NONCE_BYTES + TAG_BYTES) throw new UnsealFailed('not a sealed value of this keystore')
  const nonce = sealed.subarray(1, 1 + NONCE_BYTES)
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(bind(associatedData))
  const plaintext = decipher.update(sealed.subarray(1 + NONCE_BYTES, -TAG_BYTES))
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
  try {
    decipher.final()
    return plaintext
  } catch {
    plaintext.fill(0)
    throw new UnsealFailed('altered, or sealed elsewhere or for something else')
  }
}

/** The format is authenticated too. */
const bind = (associatedData: Uint8Array): Buffer => Buffer.concat([Buffer.of(FORMAT), associatedData])
