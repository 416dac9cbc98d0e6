import { generateKeyPairSync } from 'node:crypto'
import { Aes256Gcm, CipherSuite, HkdfSha256 } from '@hpke/core'
import { DhkemX25519HkdfSha256 } from '@hpke/dhkem-x25519'
import { OpenFailed, type Sealing, type SealingKeyPair } from '../../domain/ports/sealing.ts'

const KEY_BYTES = 32

const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() })

/**
 * HPKE (RFC 9180) in base mode, single shot: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. The context is the `info`.
 * Sealed bytes are the encapsulated key (32 bytes) and the ciphertext with its tag.
 */
export const hpkeSealing: Sealing = {
  generateKeyPair,

  async seal(recipient, plaintext, context) {
    try {
      const recipientPublicKey = await suite.kem.deserializePublicKey(recipient)
      const { enc, ct } = await suite.seal({ recipientPublicKey, info: context }, plaintext)
      return Buffer.concat([new Uint8Array(enc), new Uint8Array(ct)])
    } catch {
      throw new OpenFailed('not a key that can be sealed to')
    }
  },
}

/** Made by node, which is faster than JavaScript by far; the private key is in the form HPKE wants it in only while it opens something. */
function generateKeyPair(): SealingKeyPair {
  const pair = generateKeyPairSync('x25519')
  let privateKey: typeof pair.privateKey | undefined = pair.privateKey
  const publicKey = new Uint8Array(pair.publicKey.export({ format: 'der', type: 'spki' }).subarray(-KEY_BYTES))

  return {
    publicKey,
    async open(sealed, context) {
      if (!privateKey) throw new OpenFailed('the key is destroyed')
      const encoded = privateKey.export({ format: 'der', type: 'pkcs8' })
      try {
        const recipientKey = await suite.kem.deserializePrivateKey(encoded.subarray(-KEY_BYTES))
        const enc = sealed.subarray(0, KEY_BYTES)
        return new Uint8Array(await suite.open({ recipientKey, enc, info: context }, sealed.subarray(KEY_BYTES)))
      } catch {
        throw new OpenFailed('altered, or sealed to another key or in another context')
      } finally {
        encoded.fill(0)
      }
    },
    destroy() {
      privateKey = undefined
    },
  }
}
