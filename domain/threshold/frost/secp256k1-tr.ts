import { schnorr, secp256k1, secp256k1_hasher } from '@noble/curves/secp256k1.js'
import { bytesToNumberBE } from '@noble/curves/utils.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { childTweak, linearCombination } from '../shared-key/secp256k1.ts'
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
