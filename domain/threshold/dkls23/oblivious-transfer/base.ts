/**
 * The base oblivious transfers: the endemic construction of Masny and Rindal (ePrint 2019/706), with one Diffie-Hellman share of the sender for
 * the whole batch as in McQuoid, Rosulek and Roy (ePrint 2021/682, figure 3), where every key is bound to its transfer, choice and transcript.
 * The receiver speaks first, the sender answers, and that is all. Who cheats may choose its own outputs (hence endemic), which is all that
 * SoftSpokenOT (ePrint 2022/192) asks for.
 *
 * The group need not be that of the signatures. It is P-256, because there the platform's library multiplies by secret scalars in constant
 * time, ten times as fast as secp256k1 does. Assumed: the gap Diffie-Hellman problem is hard in it, and the hash is a random oracle.
 */
import { createECDH, ECDH } from 'node:crypto'
import { normalizeZ } from '@noble/curves/abstract/curve.js'
import { p256 } from '@noble/curves/nist.js'
import { ProtocolAbort, type RandomBytes } from '../../protocol.ts'
import { draw } from '../../shared-key/key-suite.ts'
import { ask, askEach } from '../hashing.ts'
import { COMPUTATIONAL_SECURITY } from '../parameters.ts'
import { bitOf, rowOf } from './bit-matrix.ts'
import { CHOICE_BYTES, type ReceiverSeeds, SEED_BYTES, type SenderSeeds } from './seeds.ts'

/** `sid` is unique and the same on both sides: it names the ceremony, who is receiver and who sender. */
export type BaseTransferOptions = { readonly sid: Uint8Array; readonly rng: RandomBytes }

export type BaseTransferReceiver = {
  /** For the sender; 16,640 bytes. */
  readonly message: Uint8Array
  /** Takes the sender's answer; works once. @throws ProtocolAbort `invalid_message`, `out_of_order` */
  finish(reply: Uint8Array): SenderSeeds
  /** Forgets its secrets, finished or not. */
  destroy(): void
}

const { Point } = p256
type Point = typeof Point.BASE

const TRANSFERS = COMPUTATIONAL_SECURITY
const CURVE = 'prime256v1'
const POINT_BYTES = 65
const SCALAR_BYTES = 32
const SECRET_BYTES = 32
/** So many random bytes give a scalar without a bias. */
const SCALAR_SEED_BYTES = 48

/** Lengths of the receiver's message and of the sender's reply. */
export const BASE_MESSAGE_BYTES = 2 * TRANSFERS * POINT_BYTES
export const BASE_REPLY_BYTES = POINT_BYTES

/**
 * Begins 128 transfers as their receiver, who will be the sender of the extension. For each there are two points in the message, each masked
 * with the hash of the other: of one the receiver knows the logarithm, which one is its choice, and to know both it would have to invert the hash.
 */
export function beginBaseOtReceiver({ sid, rng }: BaseTransferOptions): BaseTransferReceiver {
  const choices = draw(rng, CHOICE_BYTES)
  const scalars = new Uint8Array(TRANSFERS * SCALAR_BYTES)
  const scalarOf = (transfer: number) => rowOf(scalars, transfer, SCALAR_BYTES)
  const message = new Uint8Array(BASE_MESSAGE_BYTES)
  const hashed = hashToPoint(sid)
  const ecdh = createECDH(CURVE)

  const masked: Point[] = []
  for (let transfer = 0; transfer < TRANSFERS; transfer++) {
    const choice = bitOf(choices, transfer)
    scalarOf(transfer).set(randomScalar(rng))
    ecdh.setPrivateKey(scalarOf(transfer))
    const known = Point.fromBytes(ecdh.getPublicKey())
    ecdh.setPrivateKey(randomScalar(rng))
    const other = ecdh.getPublicKey()
    pointIn(message, transfer, 1 - choice).set(other)
    masked.push(known.subtract(hashed(transfer, choice, other)))
  }
  normalizeZ(Point, masked).forEach((point, transfer) => {
    pointIn(message, transfer, bitOf(choices, transfer)).set(point.toBytes(false))
  })

  let over = false
  return {
    message,
    destroy() {
      if (!over) choices.fill(0)
      over = true
      scalars.fill(0)
    },
    finish(reply) {
      if (over) throw new ProtocolAbort('out_of_order', 'the base transfers are over')
      over = true
      try {
        requirePoint(reply)
        const seedOf = seedsOf(sid, message, reply)
        const chosen = new Uint8Array(TRANSFERS * SEED_BYTES)
        for (let transfer = 0; transfer < TRANSFERS; transfer++) {
          ecdh.setPrivateKey(scalarOf(transfer))
          rowOf(chosen, transfer, SEED_BYTES).set(seedOf(transfer, bitOf(choices, transfer), ecdh.computeSecret(reply)))
        }
        return { choices, chosen }
      } finally {
        scalars.fill(0)
      }
    },
  }
}

/** Answers as the sender, who will be the receiver of the extension. The reply has 65 bytes. @throws ProtocolAbort `invalid_message` */
export function answerBaseOt({ sid, rng }: BaseTransferOptions, message: Uint8Array): { reply: Uint8Array; seeds: ReceiverSeeds } {
  const points = unmask(sid, message)
  const ecdh = createECDH(CURVE)
  ecdh.setPrivateKey(randomScalar(rng))
  const reply = new Uint8Array(ecdh.getPublicKey())
  const seedOf = seedsOf(sid, message, reply)
  const seeds = { zeros: new Uint8Array(TRANSFERS * SEED_BYTES), ones: new Uint8Array(TRANSFERS * SEED_BYTES) }
  for (let transfer = 0; transfer < TRANSFERS; transfer++) {
    const [zero, one] = [0, 1].map((choice) => seedOf(transfer, choice, ecdh.computeSecret(points[2 * transfer + choice]!)))
    rowOf(seeds.zeros, transfer, SEED_BYTES).set(zero!)
    rowOf(seeds.ones, transfer, SEED_BYTES).set(one!)
  }
  return { reply, seeds }
}

/** The two points of each transfer, one after the other, without their masks. */
function unmask(sid: Uint8Array, message: Uint8Array): Uint8Array[] {
  if (message.length !== BASE_MESSAGE_BYTES) throw new ProtocolAbort('invalid_message', 'base transfers of the wrong length')
  const hashed = hashToPoint(sid)
  const points: Point[] = []
  for (let transfer = 0; transfer < TRANSFERS; transfer++)
    for (const choice of [0, 1])
      points.push(requirePoint(pointIn(message, transfer, choice)).add(hashed(transfer, choice, pointIn(message, transfer, 1 - choice))))
  if (points.some((point) => point.is0())) throw new ProtocolAbort('invalid_message', 'a base transfer masks the identity')
  return normalizeZ(Point, points).map((point) => point.toBytes(false))
}

/** @throws ProtocolAbort `invalid_message` unless it is a point of the curve, uncompressed, and not the identity */
function requirePoint(bytes: Uint8Array): Point {
  try {
    if (bytes.length === POINT_BYTES) return Point.fromBytes(bytes)
  } catch {
    // Refused below, for whatever reason.
  }
  throw new ProtocolAbort('invalid_message', 'a base transfer holds something that is no point of the curve')
}

/**
 * A random oracle onto the curve, for points that are public: candidates are hashed, one after the other, until one is the abscissa of a point,
 * which every second one is.
 */
function hashToPoint(sid: Uint8Array) {
  const candidate = askEach('base-transfer/point', 1 + SCALAR_BYTES, POINT_BYTES, sid)
  return (transfer: number, choice: number, point: Uint8Array): Point => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const compressed = candidate((2 * transfer + choice) * ATTEMPTS + attempt, point)
      compressed[0] = 2 + (compressed[0]! & 1)
      const found = decompress(compressed)
      if (found) return found
    }
    throw new Error('the hash meets the curve nowhere')
  }
}

/** All of them fail once in 2^128. */
const ATTEMPTS = 128

function decompress(compressed: Uint8Array): Point | undefined {
  try {
    return Point.fromBytes(ECDH.convertKey(compressed, CURVE, undefined, undefined, 'uncompressed') as Buffer)
  } catch {
    return undefined
  }
}

/** One seed per transfer and choice, from the secret that both sides have in common. */
function seedsOf(sid: Uint8Array, message: Uint8Array, reply: Uint8Array) {
  const seed = askEach('base-transfer/seed', SEED_BYTES, SECRET_BYTES, ask('base-transfer/session', 32, sid, message, reply))
  return (transfer: number, choice: number, secret: Uint8Array) => seed(2 * transfer + choice, secret)
}

const randomScalar = (rng: RandomBytes) => p256.utils.randomSecretKey(draw(rng, SCALAR_SEED_BYTES))

const pointIn = (message: Uint8Array, transfer: number, choice: number) => rowOf(message, 2 * transfer + choice, POINT_BYTES)
