import { ask, askAll } from './hashing.ts'
import { COLUMN_BYTES } from './oblivious-transfer/extension.ts'
import { CHECKS, INPUTS, SCALAR_BYTES, TRANSFERS } from './parameters.ts'
import { encodeScalars, modulo, reduceScalars } from './scalars.ts'

/** Elements of the vectors that are transferred: the inputs, and what masks the combinations of them that are checked. */
export const WIDTH = INPUTS + CHECKS

export const DIGEST_BYTES = 32

/** Alice's nonce is in it so that her pads are fresh: the same session a second time would otherwise tell Bob how her inputs differ. */
export const sessionOf = (sid: Uint8Array, message: Uint8Array, nonce: Uint8Array) => ask('multiplication/session', 32, sid, message, nonce)

/** Uniform. Who names the session may choose among as many as it cares to try, which is far from what it would take to gain something. */
export const gadgetOf = (sid: Uint8Array) => reduceScalars(ask('multiplication/gadget', TRANSFERS * SCALAR_BYTES, sid))

/**
 * The random vectors of the transfers, one after the other, 32 bytes for each element: the hash makes those of a column that Bob does not know look
 * random to him. Who asks for them wipes them.
 */
export const padsOf = (session: Uint8Array, columns: Uint8Array): Uint8Array =>
  askAll('multiplication/pad', WIDTH * SCALAR_BYTES, columns, COLUMN_BYTES, session)

/** Theta of the paper: for each check a random factor of each input. */
export function challengeOf(session: Uint8Array, corrections: Uint8Array): bigint[] {
  return reduceScalars(ask('multiplication/challenge', CHECKS * INPUTS * SCALAR_BYTES, session, corrections))
}

export const digestOf = (session: Uint8Array, combined: readonly bigint[]) =>
  ask('multiplication/response', DIGEST_BYTES, session, encodeScalars(combined))

/** The linear combinations of the inputs of each vector that the challenge asks for, masked with the rest of the vector. */
export function combine(challenge: readonly bigint[], vectors: readonly bigint[]): bigint[] {
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
export function weigh(gadget: readonly bigint[], vectors: readonly bigint[]): [bigint, bigint] {
  let [first, second] = [0n, 0n]
  gadget.forEach((weight, transfer) => {
    first += weight * vectors[transfer * WIDTH]!
    second += weight * vectors[transfer * WIDTH + 1]!
  })
  return [modulo(first), modulo(second)]
}

export const ifChosen = (choice: number, scalar: bigint): bigint => (choice === 1 ? scalar : 0n)
