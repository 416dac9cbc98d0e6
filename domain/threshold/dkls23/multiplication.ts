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
import { correctionsOf } from './corrections.ts'
import { addRow, bitOf, rowOf } from './oblivious-transfer/bit-matrix.ts'
import { CHOICES_BYTES, COLUMN_BYTES, EXTENSION_MESSAGE_BYTES, extendAsReceiver, extendAsSender } from './oblivious-transfer/extension.ts'
import type { ReceiverSeeds, SenderSeeds } from './oblivious-transfer/seeds.ts'
import { CHECKS, ORDER, SCALAR_BYTES, TRANSFERS } from './parameters.ts'
import { decodeScalars, encodeScalars, modulo, reduceScalars } from './scalars.ts'
import { challengeOf, combine, DIGEST_BYTES, digestOf, gadgetOf, ifChosen, padsOf, sessionOf, WIDTH, weigh } from './transferred-vectors.ts'

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

const NONCE_BYTES = 32
const CORRECTIONS_AT = NONCE_BYTES
const COMBINED_AT = CORRECTIONS_AT + TRANSFERS * WIDTH * SCALAR_BYTES
const DIGEST_AT = COMBINED_AT + CHECKS * SCALAR_BYTES

/** Lengths of Bob's message and of Alice's reply: 8,784 and 53,376. */
export const MULTIPLICATION_MESSAGE_BYTES = EXTENSION_MESSAGE_BYTES
export const MULTIPLICATION_REPLY_BYTES = DIGEST_AT + DIGEST_BYTES

/** Begins a multiplication as Bob, by a factor of his that is random. */
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
        const pads = padsOf(session, columns)
        const vectors = reduceScalars(pads).map((pad, at) => pad + ifChosen(bitOf(choices, Math.floor(at / WIDTH)), corrections[at]!))
        pads.fill(0)
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

/**
 * All of a multiplication that Alice does: her answer to Bob's message, and her shares. That her inputs are those she has committed to elsewhere
 * is for Bob to check elsewhere.
 * @throws ProtocolAbort `invalid_message` for what Bob cannot have said, `invalid_multiplication` when he has cheated, `invalid_parameters`
 */
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

  const masks = draw(rng, CHECKS * SCALAR_BYTES)
  const vector = [...inputs, ...reduceScalars(masks)]
  const encoded = encodeScalars(vector)
  const corrections = correctionsOf(zeros, ones, encoded)
  const vectors = reduceScalars(zeros)
  for (const secret of [zeros, ones, masks, encoded]) secret.fill(0)
  const challenge = challengeOf(session, corrections)
  const combined = encodeScalars(combine(challenge, vector))
  const [first, second] = weigh(gadgetOf(sid), vectors)
  return {
    reply: concatBytes(nonce, corrections, combined, digestOf(session, combine(challenge, vectors))),
    outputs: [modulo(-first), modulo(-second)],
  }
}
