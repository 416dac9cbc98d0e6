import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'

export type KeyType = 'ed25519' | 'x25519'

const PUBLIC_KEY_BYTES = 32

/** A fresh private key as PKCS#8 in DER; who asks for it wipes it. */
export function generatePrivateKey(type: KeyType): Buffer {
  const { privateKey } = type === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('x25519')
  return privateKey.export({ format: 'der', type: 'pkcs8' })
}

/** Undefined for anything but a private key of this type, as PKCS#8 in DER. */
export function readPrivateKey(type: KeyType, der: Buffer): KeyObject | undefined {
  try {
    const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    return key.asymmetricKeyType === type ? key : undefined
  } catch {
    return undefined
  }
}

/** 32 bytes, which stand at the end of the key's SubjectPublicKeyInfo (RFC 8410). */
export function publicKeyOf(privateKey: KeyObject): Uint8Array {
  return new Uint8Array(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-PUBLIC_KEY_BYTES))
}
