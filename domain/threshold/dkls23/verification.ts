import { secp256k1 } from '@noble/curves/secp256k1.js'
import { bytesToNumberBE } from '@noble/curves/utils.js'
import type { Element } from './suite.ts'

export const DIGEST_BYTES = 32

const { Fn } = secp256k1.Point

/** m of ECDSA: the digest as a number modulo the order (SEC 1, section 4.1.3). */
export const digestScalar = (digest: Uint8Array) => Fn.create(bytesToNumberBE(digest))

/** r of ECDSA: the x coordinate of the nonce, modulo the order. */
export const abscissa = (R: Element) => Fn.create(R.toAffine().x)

/**
 * ECDSA over a digest of exactly 32 bytes (SEC 1, section 4.1.4), with a compressed public key; r and s, 32 bytes each, are from 1 to q − 1, and
 * s is in the lower half, as Bitcoin (BIP-146) and Ethereum (EIP-2) demand. Never throws.
 */
export function verify(publicKey: Uint8Array, digest: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 33 || digest.length !== DIGEST_BYTES || signature.length !== 64) return false
  try {
    return secp256k1.verify(signature, digest, publicKey, { prehash: false, lowS: true, format: 'compact' })
  } catch {
    return false
  }
}
