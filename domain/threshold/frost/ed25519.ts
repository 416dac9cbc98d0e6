import { ed25519 } from '@noble/curves/ed25519.js'
import { bytesToNumberLE } from '@noble/curves/utils.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { equalBytes } from '../rounds.ts'
import type { Ciphersuite } from './ciphersuite.ts'

type Point = typeof ed25519.Point.BASE

const CONTEXT = 'FROST-ED25519-SHA512-v1'
const { Point } = ed25519
const { Fn } = Point

const hashToScalar = (...parts: Uint8Array[]) => Fn.create(bytesToNumberLE(sha512(concatBytes(...parts))))

/** FROST(Ed25519, SHA-512), RFC 9591, section 6.1. Signatures are those of RFC 8032. */
export const ed25519Ciphersuite: Ciphersuite<Point> = {
  scheme: 'frost-ed25519',
  Point,
  elementBytes: 32,
  publicBytes: 32,
  hashToScalar: (purpose, data) => hashToScalar(utf8ToBytes(CONTEXT + purpose), data),
  hash: (purpose, data) => sha512(concatBytes(utf8ToBytes(CONTEXT + purpose), data)),
  challenge: (R, publicKey, message) => hashToScalar(R.toBytes(), publicKey.toBytes(), message),
  encodePublic: (point) => point.toBytes(),
  decodePublic: (bytes) => Point.fromBytes(bytes),
  isPublicForm: () => true,
  keyTweak: () => Fn.ZERO,
  message: (payload) => payload,
  verify,
}

/**
 * RFC 8032, section 5.1.7, without the cofactor, and with canonical encodings only: whatever passes here passes with every verifier, also
 * those that multiply by the cofactor.
 */
function verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    const A = Point.fromBytes(publicKey)
    if (A.isSmallOrder()) return false
    const R = signature.subarray(0, 32)
    const s = Fn.fromBytes(signature.subarray(32))
    const k = hashToScalar(R, publicKey, message)
    const expected = Point.BASE.multiplyUnsafe(s).subtract(A.multiplyUnsafe(k))
    return equalBytes(expected.toBytes(), R)
  } catch {
    return false
  }
}
