import { schnorr, secp256k1, secp256k1_hasher } from '@noble/curves/secp256k1.js'
import { bytesToNumberBE, numberToBytesBE } from '@noble/curves/utils.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import type { Ciphersuite } from './ciphersuite.ts'

type Point = typeof secp256k1.Point.BASE

const CONTEXT = 'FROST-secp256k1-SHA256-TR-v1'
const { Point } = secp256k1
const { lift_x, pointToBytes, taggedHash } = schnorr.utils

/**
 * FROST(secp256k1, SHA-256) of RFC 9591, section 6.5, changed as the Zcash Foundation's frost-secp256k1-tr does so that signatures are
 * those of BIP-340: elements are x-only in signatures and keys, the one of two points with an even y, and keys carry the BIP-341 tweak of
 * an empty script tree.
 */
export const secp256k1TrCiphersuite: Ciphersuite<Point> = {
  scheme: 'frost-secp256k1-tr',
  Point,
  elementBytes: 33,
  publicBytes: 32,
  hashToScalar: (purpose, data) => secp256k1_hasher.hashToScalar(data, { DST: utf8ToBytes(CONTEXT + purpose) }),
  hash: (purpose, data) => sha256(concatBytes(utf8ToBytes(CONTEXT + purpose), data)),
  challenge: (R, publicKey, message) =>
    Point.Fn.create(bytesToNumberBE(taggedHash('BIP0340/challenge', pointToBytes(R), pointToBytes(publicKey), message))),
  linearCombination,
  encodePublic: (point) => pointToBytes(point),
  decodePublic: (bytes) => lift_x(Point.Fp.fromBytes(bytes)),
  isPublicForm: (point) => point.toAffine().y % 2n === 0n,
  keyTweak: (publicKey) => Point.Fn.fromBytes(taggedHash('TapTweak', pointToBytes(publicKey))),
  childTweak,
  message: (payload) => sha256(payload),
  verify: (publicKey, message, signature) => {
    if (publicKey.length !== 32 || signature.length !== 64) return false
    return schnorr.verify(signature, message, publicKey)
  },
}

/** Two by two, as this is how the library uses the curve's endomorphism to halve the doublings. */
function linearCombination(elements: readonly Point[], scalars: readonly bigint[]): Point {
  let sum = Point.ZERO
  for (let i = 0; i < elements.length; i += 2) {
    const [first, second] = elements.slice(i, i + 2)
    const pair = second ? first!.mulAddUnsafe(scalars[i]!, second, scalars[i + 1]!) : first!.multiplyUnsafe(scalars[i]!)
    sum = sum.add(pair)
  }
  return sum
}

/** CKDpub of BIP-32. */
function childTweak(parent: Point, chainCode: Uint8Array, index: number) {
  const I = hmac(sha512, chainCode, concatBytes(parent.toBytes(), numberToBytesBE(index, 4)))
  return { tweak: Point.Fn.fromBytes(I.subarray(0, 32)), chainCode: I.subarray(32) }
}
