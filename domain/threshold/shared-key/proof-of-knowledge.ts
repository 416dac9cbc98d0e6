import type { CurvePoint } from '@noble/curves/abstract/curve.js'
import { concatBytes } from '@noble/hashes/utils.js'
import type { PartyIndex, RandomBytes } from '../protocol.ts'
import { type KeySuite, randomScalar } from './key-suite.ts'

/**
 * A Schnorr proof that the participant knows the discrete logarithm of its public element, bound to the participant and to a context
 * (FROST paper, figure 1, round 1; without a context it is the one of the Zcash Foundation's implementation). Without it a participant
 * could choose its element as a function of the others'.
 */
export function proveKnowledge<P extends CurvePoint<bigint, P>>(
  suite: KeySuite<P>,
  statement: { prover: PartyIndex; element: P; context: Uint8Array },
  secret: bigint,
  rng: RandomBytes,
): Uint8Array {
  const { Point } = suite
  const drawn = randomScalar(suite, rng)
  const commitment = Point.BASE.multiply(drawn)
  const [k, R] = suite.isPublicForm(commitment) ? [drawn, commitment] : [Point.Fn.neg(drawn), commitment.negate()]
  const response = Point.Fn.add(k, Point.Fn.mul(secret, challenge(suite, statement, R)))
  return concatBytes(suite.encodePublic(R), Point.Fn.toBytes(response))
}

/** Throws when the proof does not hold for this prover, element and context. */
export function verifyKnowledge<P extends CurvePoint<bigint, P>>(
  suite: KeySuite<P>,
  statement: { prover: PartyIndex; element: P; context: Uint8Array },
  proof: Uint8Array,
): void {
  const { Point } = suite
  const R = suite.decodePublic(proof.subarray(0, suite.publicBytes))
  const response = Point.Fn.fromBytes(proof.subarray(suite.publicBytes))
  const expected = Point.BASE.multiplyUnsafe(response).subtract(statement.element.multiplyUnsafe(challenge(suite, statement, R)))
  if (!R.equals(expected)) throw new Error('the proof of knowledge does not hold')
}

function challenge<P extends CurvePoint<bigint, P>>(
  suite: KeySuite<P>,
  { prover, element, context }: { prover: PartyIndex; element: P; context: Uint8Array },
  R: P,
): bigint {
  return suite.hashToScalar('dkg', concatBytes(suite.Point.Fn.toBytes(BigInt(prover)), element.toBytes(), R.toBytes(), context))
}
