import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { encodePolicy } from '../../domain/authorisation/key-policy.ts'
import { UnsealFailed, type Vault } from '../../domain/ports/vault.ts'

export const KEY = { keyId: 'key-1', epoch: 1, attempt: 1, publicKey: new Uint8Array(32).fill(7) }
export const RECORD = {
  ...KEY,
  scheme: 'frost-ed25519',
  threshold: 2,
  parties: ['party-1', 'party-2', 'party-3'],
  publicPackage: Uint8Array.of(1, 2, 3),
  policy: encodePolicy({ version: 1, walletId: 'w', clientKeys: [], rawDigests: false, approvals: null, presignatures: 10 }),
} as const
/** By epoch. */
export const SHARES = { 1: new Uint8Array(66).fill(1), 2: new Uint8Array(66).fill(2) } as const

/** AES-256-GCM under a key that both the process that dies and the one that looks at what it leaves can make. */
export function vaultOf(dir: string): Vault {
  const key = createHash('sha256').update(dir).digest()
  return {
    description: 'for this test',
    async seal(plaintext, associatedData) {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(associatedData)
      return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
    },
    async open(sealed, associatedData) {
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12))
          .setAAD(associatedData)
          .setAuthTag(sealed.subarray(-16))
        return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()])
      } catch {
        throw new UnsealFailed('the test vault does not open it')
      }
    },
    signingKey: async () => undefined,
    ping: async () => {},
    close: async () => {},
  }
}
