import { createPublicKey, verify } from 'node:crypto'
import { schnorr } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { hexToBytes } from '@noble/hashes/utils.js'
import type { Scheme } from '../../domain/threshold/scheme.ts'

/** Whether the signature (hex) over the message holds under the public key (hex), by code that took no part in making it. */
export function verifySignature(scheme: Scheme, publicKey: string, message: Uint8Array, signature: string): boolean {
  if (scheme === 'frost-secp256k1-tr') return schnorr.verify(hexToBytes(signature), sha256(message), hexToBytes(publicKey))
  const key = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey, 'hex').toString('base64url') },
    format: 'jwk',
  })
  return verify(null, message, key, Buffer.from(signature, 'hex'))
}
