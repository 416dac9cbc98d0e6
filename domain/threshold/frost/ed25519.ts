import { mulAddUnsafe } from '@noble/curves/abstract/curve.js'
import { ed25519 } from '@noble/curves/ed25519.js'
import { bytesToNumberLE, numberToBytesLE } from '@noble/curves/utils.js'
import { hmac } from '@noble/hashes/hmac.js'
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
  linearCombination: (elements, scalars) => mulAddUnsafe(Point, [...elements], [...scalars]),
  encodePublic: (point) => point.toBytes(),
  decodePublic: (bytes) => Point.fromBytes(bytes),
  isPublicForm: () => true,
  keyTweak: () => Fn.ZERO,
  childTweak,
  message: (payload) => payload,
  verify,
}

/**
 * Public derivation of BIP32-Ed25519 (Khovratovich and Law, "Hierarchical Deterministic Keys over a Non-linear Keyspace", section V.D): the
 * tweak is eight times the first 28 bytes of HMAC-SHA512(chain code, 2 ‖ A ‖ index), the chain code the second half of the same with 3 for
 * 2, all little-endian. Chosen among the Edwards counterparts of BIP-32 because it is published and other wallets have it. Its bounds keep
 * private keys in the form of RFC 8032, which shares need not have; they do no harm. SLIP-10 has no public derivation on this curve.
 */
function childTweak(parent: Point, chainCode: Uint8Array, index: number) {
  const I = (purpose: number) => hmac(sha512, chainCode, concatBytes(Uint8Array.of(purpose), parent.toBytes(), numberToBytesLE(index, 4)))
  return { tweak: Fn.create(8n * bytesToNumberLE(I(2).subarray(0, 28))), chainCode: I(3).subarray(32) }
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
