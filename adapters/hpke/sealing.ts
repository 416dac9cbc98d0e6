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
  const ownKey = usable(own)
  return {
    generateKeyPair,
    open: (sealed, context, sender) => open(ownKey, sealed, context, sender),

    async seal(recipient, plaintext, context) {
      const senderKey = await ownKey()
      try {
        const recipientPublicKey = await suite.kem.deserializePublicKey(recipient)
        const { enc, ct } = await suite.seal({ recipientPublicKey, senderKey, info: context }, plaintext)
        return Buffer.concat([new Uint8Array(enc), new Uint8Array(ct)])
      } catch {
        throw new OpenFailed('not a key that can be sealed to')
      }
    },
  }
}

function generateKeyPair(): SealingKeyPair {
  const pair = generateKeyPairSync('x25519')
  let key: UsableKey | undefined = usable(pair.privateKey)
  const publicKey = new Uint8Array(pair.publicKey.export({ format: 'der', type: 'spki' }).subarray(-KEY_BYTES))

  return {
    publicKey,
    async open(sealed, context, sender) {
      if (!key) throw new OpenFailed('the key is destroyed')
      return open(key, sealed, context, sender)
    },
    destroy() {
      key = undefined
    },
  }
}

async function open(key: UsableKey, sealed: Uint8Array, context: Uint8Array, sender: Uint8Array): Promise<Uint8Array> {
  const recipientKey = await key()
  try {
    const senderPublicKey = await suite.kem.deserializePublicKey(sender)
    const enc = sealed.subarray(0, KEY_BYTES)
    return new Uint8Array(await suite.open({ recipientKey, senderPublicKey, enc, info: context }, sealed.subarray(KEY_BYTES)))
  } catch {
    throw new OpenFailed('altered, or sealed to another key, by somebody else, or in another context')
  }
}

/** A private key in the form in which HPKE uses it. */
type UsableKey = () => Promise<webcrypto.CryptoKey>

/** Made when it is first used, and once, because to read a key takes as long as to use it. */
function usable(key: KeyObject): UsableKey {
  let imported: Promise<webcrypto.CryptoKey> | undefined
  return () => {
    imported ??= read(key)
    return imported
  }
}

async function read(key: KeyObject): Promise<webcrypto.CryptoKey> {
  const encoded = key.export({ format: 'der', type: 'pkcs8' })
  try {
    return await suite.kem.deserializePrivateKey(encoded.subarray(-KEY_BYTES))
  } finally {
    encoded.fill(0)
  }
}
