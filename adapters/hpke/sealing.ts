import { generateKeyPairSync, type KeyObject, type webcrypto } from 'node:crypto'
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'
import { OpenFailed, type Sealing, type SealingKeyPair } from '../../domain/ports/sealing.ts'

const KEY_BYTES = 32

const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() })

/**
 * HPKE (RFC 9180) in auth mode (§5.1.3), single shot: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. The context is the `info`.
 * Sealed bytes are the encapsulated key (32 bytes) and the ciphertext with its tag.
 * @param own X25519 private key of who seals
 */
export function hpkeSealing(own: KeyObject): Sealing {
  return {
    generateKeyPair,
    open: (sealed, context, sender) => open(own, sealed, context, sender),

    async seal(recipient, plaintext, context) {
      try {
        const recipientPublicKey = await suite.kem.deserializePublicKey(recipient)
        return await withPrivateKey(own, async (senderKey) => {
          const { enc, ct } = await suite.seal({ recipientPublicKey, senderKey, info: context }, plaintext)
          return Buffer.concat([new Uint8Array(enc), new Uint8Array(ct)])
        })
      } catch {
        throw new OpenFailed('not a key that can be sealed to')
      }
    },
  }
}

/** Made by node, which is faster than JavaScript by far. */
function generateKeyPair(): SealingKeyPair {
  const pair = generateKeyPairSync('x25519')
  let privateKey: KeyObject | undefined = pair.privateKey
  const publicKey = new Uint8Array(pair.publicKey.export({ format: 'der', type: 'spki' }).subarray(-KEY_BYTES))

  return {
    publicKey,
    async open(sealed, context, sender) {
      if (!privateKey) throw new OpenFailed('the key is destroyed')
      return open(privateKey, sealed, context, sender)
    },
    destroy() {
      privateKey = undefined
    },
  }
}

async function open(privateKey: KeyObject, sealed: Uint8Array, context: Uint8Array, sender: Uint8Array): Promise<Uint8Array> {
  try {
    const senderPublicKey = await suite.kem.deserializePublicKey(sender)
    const enc = sealed.subarray(0, KEY_BYTES)
    return await withPrivateKey(
      privateKey,
      async (recipientKey) =>
        new Uint8Array(await suite.open({ recipientKey, senderPublicKey, enc, info: context }, sealed.subarray(KEY_BYTES))),
    )
  } catch {
    throw new OpenFailed('altered, or sealed to another key, by somebody else, or in another context')
  }
}

/** The key is in the form HPKE wants it in only while it is used. */
async function withPrivateKey<Result>(key: KeyObject, use: (key: webcrypto.CryptoKey) => Promise<Result>): Promise<Result> {
  const encoded = key.export({ format: 'der', type: 'pkcs8' })
  try {
    return await use(await suite.kem.deserializePrivateKey(encoded.subarray(-KEY_BYTES)))
  } finally {
    encoded.fill(0)
  }
}
