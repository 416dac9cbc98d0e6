/**
 * Two-party multiplication: random vector OLE, protocol 5.2 of DKLs23 (ePrint 2023/765). Alice has two scalars, Bob gets a random one, and both get
 * shares of its products with each of hers. Bob sends one message, Alice answers with one.
 *
 * Bob's factor is the sum of those elements of a public vector, the gadget, that his random choice bits select. For each of them the transfers give
 * Alice two random vectors and Bob that of his choice. Alice sends the difference of the two plus her inputs, so that Bob has her first vector, to
 * which her inputs are added where his bit is 1.
 *
 * Alice could send different inputs for some of the bits: then Bob's output is wrong if one of these bits is 1. So her vectors have two random
 * elements more, and Bob checks two random linear combinations of them. If she gets away with it she has guessed those bits right, which is
 * why there are 160 bits more than a scalar has; if she does not she has learned as much, which is why she must not get a second try.
 */
import { timingSafeEqual } from 'node:crypto'
import { concatBytes } from '@noble/hashes/utils.js'
import { ProtocolAbort, type RandomBytes } from '../protocol.ts'
import { draw } from '../shared-key/key-suite.ts'
import { ask, askEach } from './hashing.ts'
import { addRow, bitOf, rowOf } from './oblivious-transfer/bit-matrix.ts'
import { CHOICES_BYTES, COLUMN_BYTES, EXTENSION_MESSAGE_BYTES, extendAsReceiver, extendAsSender } from './oblivious-transfer/extension.ts'
import type { ReceiverSeeds, SenderSeeds } from './oblivious-transfer/seeds.ts'
import { CHECKS, INPUTS, ORDER, SCALAR_BYTES, TRANSFERS } from './parameters.ts'
import { decodeScalars, encodeScalars, reduceScalars } from './scalars.ts'

/** Alice's inputs, or a side's shares of their products, in the same order; from 0 to below the order. */
export type Pair = readonly [bigint, bigint]

/** `sid` is unique, and the same on both sides: it names the ceremony, who is Alice and who Bob. */
export type BobOptions = { readonly sid: Uint8Array; readonly seeds: ReceiverSeeds; readonly rng: RandomBytes }
export type AliceOptions = {
  readonly sid: Uint8Array
  readonly seeds: SenderSeeds
  readonly inputs: Pair
  readonly rng: RandomBytes
}

export type Bob = {
  /** The random factor. */
  readonly chi: bigint
  /** For Alice. */
  readonly message: Uint8Array
  /**
   * Takes Alice's reply and gives Bob's shares: `chi` times an input of Alice is her share plus his. Works once, and forgets its secrets.
   * @throws ProtocolAbort `invalid_message` for what Alice cannot have said, `invalid_multiplication` when she has cheated, `out_of_order`
   */
  finish(reply: Uint8Array): Pair
  /** Forgets its secrets, finished or not. */
  destroy(): void
}

/** Elements of the vectors that are transferred: the inputs, and what masks the combinations of them that are checked. */
const WIDTH = INPUTS + CHECKS

const NONCE_BYTES = 32
const DIGEST_BYTES = 32
const CORRECTIONS_AT = NONCE_BYTES
const COMBINED_AT = CORRECTIONS_AT + TRANSFERS * WIDTH * SCALAR_BYTES
const DIGEST_AT = COMBINED_AT + CHECKS * SCALAR_BYTES

/** Lengths of Bob's message and of Alice's reply: 8,784 and 53,376. */
export const MULTIPLICATION_MESSAGE_BYTES = EXTENSION_MESSAGE_BYTES
export const MULTIPLICATION_REPLY_BYTES = DIGEST_AT + DIGEST_BYTES

export function multiplyAsBob({ sid, seeds, rng }: BobOptions): Bob {
  const choices = draw(rng, CHOICES_BYTES)
  const { message, columns } = extendAsReceiver({ sid, seeds, choices, rng })
  const gadget = gadgetOf(sid)
  const chi = modulo(gadget.reduce((sum, element, transfer) => sum + ifChosen(bitOf(choices, transfer), element), 0n))

  let over = false
  const destroy = () => {
    over = true
    choices.fill(0)
    columns.fill(0)
  }

  return {
    chi,
    message,
    destroy,
    finish(reply) {
      if (over) throw new ProtocolAbort('out_of_order', 'the multiplication is over')
      try {
        if (reply.length !== MULTIPLICATION_REPLY_BYTES)
          throw new ProtocolAbort('invalid_message', 'the reply of a multiplication has the wrong length')
        const encoded = reply.subarray(CORRECTIONS_AT, COMBINED_AT)
        const corrections = decodeScalars(encoded)
        const combined = decodeScalars(reply.subarray(COMBINED_AT, DIGEST_AT))
        const session = sessionOf(sid, message, reply.subarray(0, NONCE_BYTES))
        const vectors = padsOf(session, columns).map((pad, at) => pad + ifChosen(bitOf(choices, Math.floor(at / WIDTH)), corrections[at]!))
        const expected = combine(challengeOf(session, encoded), vectors).map((sum, at) =>
          modulo(sum - ifChosen(bitOf(choices, Math.floor(at / CHECKS)), combined[at % CHECKS]!)),
        )
        if (!timingSafeEqual(digestOf(session, expected), reply.subarray(DIGEST_AT)))
          throw new ProtocolAbort('invalid_multiplication', 'the inputs of a multiplication are not the same in all its transfers')
        return weigh(gadget, vectors)
      } finally {
        destroy()
      }
    },
  }
}

/** @throws ProtocolAbort `invalid_message` for what Bob cannot have said, `invalid_multiplication` when he has cheated, `invalid_parameters` */
export function multiplyAsAlice({ sid, seeds, inputs, rng }: AliceOptions, message: Uint8Array): { reply: Uint8Array; outputs: Pair } {
  if (inputs.some((input) => input < 0n || input >= ORDER))
    throw new ProtocolAbort('invalid_parameters', 'an input of a multiplication is no scalar')
  const columns = extendAsSender({ sid, seeds }, message)
  const nonce = draw(rng, NONCE_BYTES)
  const session = sessionOf(sid, message, nonce)
  const zeros = padsOf(session, columns)
  for (let transfer = 0; transfer < TRANSFERS; transfer++) addRow(rowOf(columns, transfer, COLUMN_BYTES), seeds.choices, 1)
  const ones = padsOf(session, columns)
  columns.fill(0)

  const vector = [...inputs, ...reduceScalars(draw(rng, CHECKS * SCALAR_BYTES))]
  const corrections = encodeScalars(zeros.map((zero, at) => modulo(zero - ones[at]! + vector[at % WIDTH]!)))
  const challenge = challengeOf(session, corrections)
  const combined = encodeScalars(combine(challenge, vector))
  const [first, second] = weigh(gadgetOf(sid), zeros)
  return {
    reply: concatBytes(nonce, corrections, combined, digestOf(session, combine(challenge, zeros))),
    outputs: [modulo(-first), modulo(-second)],
  }
}

/** Alice's nonce is in it so that her pads are fresh: the same session a second time would otherwise tell Bob how her inputs differ. */
const sessionOf = (sid: Uint8Array, message: Uint8Array, nonce: Uint8Array) => ask('multiplication/session', 32, sid, message, nonce)

/** Uniform, and neither side has a say in it. */
const gadgetOf = (sid: Uint8Array) => reduceScalars(ask('multiplication/gadget', TRANSFERS * SCALAR_BYTES, sid))

/** The random vectors of the transfers, one after the other: the hash makes those of a column that Bob does not know look random to him. */
function padsOf(session: Uint8Array, columns: Uint8Array): bigint[] {
  const padOf = askEach('multiplication/pad', WIDTH * SCALAR_BYTES, COLUMN_BYTES, session)
  const pads = new Uint8Array(TRANSFERS * WIDTH * SCALAR_BYTES)
  for (let transfer = 0; transfer < TRANSFERS; transfer++)
    rowOf(pads, transfer, WIDTH * SCALAR_BYTES).set(padOf(transfer, rowOf(columns, transfer, COLUMN_BYTES)))
  const scalars = reduceScalars(pads)
  pads.fill(0)
  return scalars
}

/** Theta of the paper: for each check a random factor of each input. */
function challengeOf(session: Uint8Array, corrections: Uint8Array): bigint[] {
  return reduceScalars(ask('multiplication/challenge', CHECKS * INPUTS * SCALAR_BYTES, session, corrections))
}

const digestOf = (session: Uint8Array, combined: readonly bigint[]) =>
  ask('multiplication/response', DIGEST_BYTES, session, encodeScalars(combined))

/** The linear combinations of the inputs of each vector that the challenge asks for, masked with the rest of the vector. */
function combine(challenge: readonly bigint[], vectors: readonly bigint[]): bigint[] {
  const combined: bigint[] = []
  for (let at = 0; at < vectors.length; at += WIDTH)
    for (let check = 0; check < CHECKS; check++) {
      let sum = vectors[at + INPUTS + check]!
      for (let input = 0; input < INPUTS; input++) sum += challenge[check * INPUTS + input]! * vectors[at + input]!
      combined.push(modulo(sum))
    }
  return combined
}

/** The sums of the vectors' first and of their second elements, each vector weighted with its element of the gadget. */
function weigh(gadget: readonly bigint[], vectors: readonly bigint[]): Pair {
  let [first, second] = [0n, 0n]
  gadget.forEach((weight, transfer) => {
    first += weight * vectors[transfer * WIDTH]!
    second += weight * vectors[transfer * WIDTH + 1]!
  })
  return [modulo(first), modulo(second)]
}

const ifChosen = (choice: number, scalar: bigint): bigint => (choice === 1 ? scalar : 0n)

function modulo(value: bigint): bigint {
  const remainder = value % ORDER
  return remainder < 0n ? remainder + ORDER : remainder
}
