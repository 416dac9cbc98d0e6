/**
 * The base oblivious transfers: the endemic construction of Masny and Rindal (ePrint 2019/706), with one Diffie-Hellman share of the sender for
 * the whole batch as in McQuoid, Rosulek and Roy (ePrint 2021/682, figure 3), where every key is bound to its transfer, choice and transcript.
 * The receiver speaks first, the sender answers, and that is all. Who cheats may choose its own outputs (hence endemic), which is all that
 * SoftSpokenOT (ePrint 2022/192) asks for. Assumed: the gap Diffie-Hellman problem is hard, and the hash is a random oracle.
 *
 * There is no check that both sides have the same seeds. When they do not, which takes a party that cheats, the first extension fails.
 */
import { ProtocolAbort, type RandomBytes } from '../../protocol.ts'
import { draw } from '../../shared-key/key-suite.ts'
import { ask } from '../hashing.ts'
import { COMPUTATIONAL_SECURITY } from '../parameters.ts'
import { bitOf, rowOf } from './bit-matrix.ts'
import { decodePoint, encodePoints, exchange, hashToPoint, POINT_BYTES, type Point, randomPoint, randomScalar } from './curve.ts'
import { CHOICE_BYTES, type ReceiverSeeds, SEED_BYTES, type SenderSeeds } from './seeds.ts'

/** `sid` is unique and the same on both sides: it names the ceremony, who is receiver and who sender. */
export type BaseTransferOptions = { readonly sid: Uint8Array; readonly rng: RandomBytes }

export type BaseTransferReceiver = {
  /** For the sender. */
  readonly message: Uint8Array
  /** Takes the sender's reply; works once. @throws ProtocolAbort `invalid_message`, `out_of_order` */
  finish(reply: Uint8Array): SenderSeeds
  /** Forgets its secrets, finished or not; the seeds it has given are the caller's. */
  destroy(): void
}

const TRANSFERS = COMPUTATIONAL_SECURITY

/** Lengths of the receiver's message and of the sender's reply: 16,640 and 65. */
export const BASE_MESSAGE_BYTES = 2 * TRANSFERS * POINT_BYTES
export const BASE_REPLY_BYTES = POINT_BYTES

/**
 * Begins 128 transfers as their receiver, who will be the sender of the extension. For each there are two points in the message, each masked with
 * the hash of the other: of one the receiver knows the logarithm, and to know both it would have to invert the hash. Which one is its choice.
 */
export function beginBaseOtReceiver({ sid, rng }: BaseTransferOptions): BaseTransferReceiver {
  const choices = draw(rng, CHOICE_BYTES)
  const scalars = Array.from({ length: TRANSFERS }, () => randomScalar(rng))
  const wipe = () => {
    for (const scalar of scalars.splice(0)) scalar.fill(0)
  }
  const message = new Uint8Array(BASE_MESSAGE_BYTES)

  const masked = scalars.map((scalar, transfer) => {
    const choice = bitOf(choices, transfer)
    const other = randomPoint(rng)
    pointIn(message, transfer, 1 - choice).set(other)
    return decodePoint(exchange(scalar).own).subtract(hashToPoint(sid, transfer, choice, other))
  })
  for (const [transfer, point] of encodePoints(masked).entries()) pointIn(message, transfer, bitOf(choices, transfer)).set(point)

  let over = false
  return {
    message,
    destroy() {
      if (!over) choices.fill(0)
      over = true
      wipe()
    },
    finish(reply) {
      if (over) throw new ProtocolAbort('out_of_order', 'the base transfers are over')
      over = true
      try {
        decodePoint(reply)
        const session = sessionOf(sid, message, reply)
        const chosen = new Uint8Array(TRANSFERS * SEED_BYTES)
        for (const [transfer, scalar] of scalars.entries())
          rowOf(chosen, transfer, SEED_BYTES).set(seedOf(session, transfer, bitOf(choices, transfer), exchange(scalar).with(reply)))
        return { choices, chosen }
      } catch (error) {
        choices.fill(0)
        throw error
      } finally {
        wipe()
      }
    },
  }
}

/** Answers as the sender, who will be the receiver of the extension. @throws ProtocolAbort `invalid_message` */
export function answerBaseOt({ sid, rng }: BaseTransferOptions, message: Uint8Array): { reply: Uint8Array; seeds: ReceiverSeeds } {
  const points = unmask(sid, message)
  const scalar = randomScalar(rng)
  const { own: reply, with: secretWith } = exchange(scalar)
  scalar.fill(0)
  const session = sessionOf(sid, message, reply)
  const [zeros, ones] = [0, 1].map((choice) => {
    const seeds = new Uint8Array(TRANSFERS * SEED_BYTES)
    for (let transfer = 0; transfer < TRANSFERS; transfer++)
      rowOf(seeds, transfer, SEED_BYTES).set(seedOf(session, transfer, choice, secretWith(points[2 * transfer + choice]!)))
    return seeds
  })
  return { reply, seeds: { zeros: zeros!, ones: ones! } }
}

/** The two points of each transfer, one after the other, without their masks. */
function unmask(sid: Uint8Array, message: Uint8Array): Uint8Array[] {
  if (message.length !== BASE_MESSAGE_BYTES) throw new ProtocolAbort('invalid_message', 'base transfers of the wrong length')
  const points: Point[] = []
  for (let transfer = 0; transfer < TRANSFERS; transfer++)
    for (const choice of [0, 1]) {
      const masked = decodePoint(pointIn(message, transfer, choice))
      points.push(masked.add(hashToPoint(sid, transfer, choice, pointIn(message, transfer, 1 - choice))))
    }
  return encodePoints(points)
}

const pointIn = (message: Uint8Array, transfer: number, choice: number) => rowOf(message, 2 * transfer + choice, POINT_BYTES)

const sessionOf = (sid: Uint8Array, message: Uint8Array, reply: Uint8Array) => ask('base-transfer/session', 32, sid, message, reply)

const seedOf = (session: Uint8Array, transfer: number, choice: number, secret: Uint8Array) =>
  ask('base-transfer/seed', SEED_BYTES, session, transfer, choice, secret)
