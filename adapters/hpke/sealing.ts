import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { OpenFailed, type Sealing, type SealingKeyPair } from '../../domain/ports/sealing.ts'
import { type HpkeKey, open, rawKey, seal } from './auth-mode.ts'

/**
 * HPKE (RFC 9180) in auth mode. The context is the `info`. Sealed bytes are the encapsulated key (32 bytes) and the ciphertext with its tag.
 * @param own X25519 private key of who seals
 */
export function hpkeSealing(own: KeyObject): Sealing {
  const ownKey = { privateKey: own, publicKey: rawKey(createPublicKey(own)) }
  return {
    generateKeyPair,
    open: async (sealed, context, sender) => opened(ownKey, sealed, context, sender),

    async seal(recipient, plaintext, context) {
      try {
        return seal(ownKey, recipient, context, plaintext)
      } catch {
        throw new OpenFailed('not a key that can be sealed to')
      }
    },
  }
}

function generateKeyPair(): SealingKeyPair {
  const pair = generateKeyPairSync('x25519')
  const publicKey = rawKey(pair.publicKey)
  let key: HpkeKey | undefined = { privateKey: pair.privateKey, publicKey }

  return {
    publicKey,
    async open(sealed, context, sender) {
      if (!key) throw new OpenFailed('the key is destroyed')
      return opened(key, sealed, context, sender)
    },
    destroy() {
      key = undefined
    },
  }
}

function opened(key: HpkeKey, sealed: Uint8Array, context: Uint8Array, sender: Uint8Array): Uint8Array {
  try {
    return open(key, sender, context, sealed)
  } catch {
    throw new OpenFailed('altered, or sealed to another key, by somebody else, or in another context')
  }
}
