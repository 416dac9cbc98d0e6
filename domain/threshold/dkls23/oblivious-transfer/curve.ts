/**
 * The group of the base transfers, which need not be that of the signatures. It is P-256, because in it the platform's library multiplies by
 * secret scalars in constant time, and ten times as fast as in secp256k1. Points are sent uncompressed: 65 bytes.
 */
import { createECDH, ECDH } from 'node:crypto'
import { normalizeZ } from '@noble/curves/abstract/curve.js'
import { p256 } from '@noble/curves/nist.js'
import { ProtocolAbort, type RandomBytes } from '../../protocol.ts'
import { draw } from '../../shared-key/key-suite.ts'
import { ask } from '../hashing.ts'
import { rowOf } from './bit-matrix.ts'

const { Point } = p256
export type Point = typeof Point.BASE

export const POINT_BYTES = 65
export const SCALAR_BYTES = 32

const CURVE = 'prime256v1'

/** So many random bytes give a scalar without a bias. */
const SCALAR_SEED_BYTES = 48

/** A uniformly random scalar, not zero. */
export function randomScalar(rng: RandomBytes): Uint8Array {
  const seed = draw(rng, SCALAR_SEED_BYTES)
  const scalar = p256.utils.randomSecretKey(seed)
  seed.fill(0)
  return scalar
}

/** A uniformly random point whose logarithm nobody keeps. */
export function randomPoint(rng: RandomBytes): Uint8Array {
  const scalar = randomScalar(rng)
  const { own } = exchange(scalar)
  scalar.fill(0)
  return own
}

/** What a scalar gives in a Diffie-Hellman exchange: the own point, and with another's the abscissa of the common one. */
export function exchange(scalar: Uint8Array): { readonly own: Uint8Array; with(point: Uint8Array): Uint8Array } {
  const ecdh = createECDH(CURVE)
  ecdh.setPrivateKey(scalar)
  return { own: ecdh.getPublicKey(), with: (point) => ecdh.computeSecret(point) }
}

/** Reads a point: on the curve, uncompressed, not the identity. @throws ProtocolAbort `invalid_message` */
export function decodePoint(bytes: Uint8Array): Point {
  const point = bytes.length === POINT_BYTES ? read(bytes) : undefined
  if (point) return point
  throw new ProtocolAbort('invalid_message', 'a base transfer holds something that is no point of the curve')
}

/** Writes points one after the other. @throws ProtocolAbort `invalid_message` if there is the identity among them */
export function encodePoints(points: readonly Point[]): Uint8Array[] {
  if (points.some((point) => point.is0())) throw new ProtocolAbort('invalid_message', 'a base transfer masks the identity')
  return normalizeZ(Point, [...points]).map((point) => point.toBytes(false))
}

/**
 * A random oracle onto the curve, for a point that is public and its place among the transfers: candidates are hashed until one is the abscissa
 * of a point, which every second one is.
 */
export function hashToPoint(sid: Uint8Array, transfer: number, choice: number, point: Uint8Array): Point {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const candidates = ask('base-transfer/point', CANDIDATES * COMPRESSED_BYTES, sid, transfer, choice, attempt, point)
    for (let i = 0; i < CANDIDATES; i++) {
      const candidate = rowOf(candidates, i, COMPRESSED_BYTES)
      candidate[0] = 2 + (candidate[0]! & 1)
      const found = decompress(candidate)
      if (found) return found
    }
  }
  throw new Error('no candidate is on the curve')
}

/** All candidates of all attempts fail once in 2^128. */
const ATTEMPTS = 16
const CANDIDATES = 8
const COMPRESSED_BYTES = 1 + SCALAR_BYTES

function decompress(compressed: Uint8Array): Point | undefined {
  try {
    return Point.fromBytes(ECDH.convertKey(compressed, CURVE, undefined, undefined, 'uncompressed') as Buffer)
  } catch {
    return undefined
  }
}

function read(bytes: Uint8Array): Point | undefined {
  try {
    return Point.fromBytes(bytes)
  } catch {
    return undefined
  }
}
