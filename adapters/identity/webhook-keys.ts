import { createHash } from 'node:crypto'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Identity } from '../../domain/ports/identity.ts'
import type { PublicSigningKey } from '../../domain/webhook/signing-keys.ts'
import { createPrivateFile, isExposed, readIfPresent } from '../keystore/private-file.ts'
import { softwareKey } from './party-identity.ts'
import { generatePrivateKey, readPrivateKey } from './raw-key.ts'
import { IdentityRefused } from './refused.ts'

const CURRENT = 'signing-key'
const PREVIOUS = 'previous-key'

const fileIn = (dataDir: string, name: string) => join(dataDir, 'webhooks', name)

/**
 * Opens the keys that webhooks are signed with: PKCS#8 in DER, in `<dataDir>/webhooks/signing-key`, which is made when it is missing, and beside it the one before,
 * for as long as receivers may not have heard of the new one. The newest first.
 * @throws IdentityRefused
 */
export async function openWebhookKeys(dataDir: string): Promise<readonly Identity[]> {
  const file = fileIn(dataDir, CURRENT)
  const current = (await readIfPresent(file)) ?? (await createPrivateFile(file, generatePrivateKey('ed25519')))
  const previous = await readIfPresent(fileIn(dataDir, PREVIOUS))
  const keys = [await readKey(file, current)]
  if (previous) keys.push(await readKey(fileIn(dataDir, PREVIOUS), previous))
  return keys
}

/** Makes a new key; the one until now signs beside it, and the one before that no more. */
export async function rotateWebhookKey(dataDir: string): Promise<readonly Identity[]> {
  await openWebhookKeys(dataDir)
  await rename(fileIn(dataDir, CURRENT), fileIn(dataDir, PREVIOUS))
  return openWebhookKeys(dataDir)
}

/** Nothing is signed with the key before the current one any more. */
export const dropPreviousWebhookKey = (dataDir: string): Promise<void> => rm(fileIn(dataDir, PREVIOUS), { force: true })

export function publicSigningKey({ id, publicKey }: Identity): PublicSigningKey {
  return { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url'), kid: id, use: 'sig', alg: 'EdDSA' }
}

async function readKey(file: string, der: Buffer): Promise<Identity> {
  const privateKey = readPrivateKey('ed25519', der)
  der.fill(0)
  if (!privateKey) throw new IdentityRefused('key_unreadable', `${file} does not hold an Ed25519 key`)
  if (await isExposed(file)) throw new IdentityRefused('key_exposed', `${file} must be readable by its owner only (mode 0600)`)
  const key = softwareKey(privateKey)
  return { id: thumbprint(key.publicKey), ...key }
}

/** RFC 7638 and 8037: of the members that make the key, in the order of their names. */
function thumbprint(publicKey: Uint8Array): string {
  const x = Buffer.from(publicKey).toString('base64url')
  return createHash('sha256')
    .update(JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x }))
    .digest('base64url')
}
