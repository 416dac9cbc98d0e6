import { createPublicKey, verify } from 'node:crypto'
import { schnorr } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { hexToBytes } from '@noble/hashes/utils.js'
import type { Scheme } from '../../domain/threshold/scheme.ts'

/** Verifies as any third party would: node's own Ed25519, and BIP-340 over the SHA-256 of the message. */
export function isSignature(scheme: Scheme, publicKey: string, message: Uint8Array, signature: string | null): boolean {
  if (signature === null) return false
  if (scheme === 'frost-secp256k1-tr') return schnorr.verify(hexToBytes(signature), sha256(message), hexToBytes(publicKey))
  const x = Buffer.from(publicKey, 'hex').toString('base64url')
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  return verify(null, message, key, hexToBytes(signature))
}
