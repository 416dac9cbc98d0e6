import type { CurvePoint } from '@noble/curves/abstract/curve.js'
import type { IField } from '@noble/curves/abstract/modular.js'
import type { PartyIndex } from '../protocol.ts'

/** The value at x of the polynomial with these coefficients, constant term first. */
export function evaluate(field: IField<bigint>, coefficients: readonly bigint[], x: PartyIndex): bigint {
  return coefficients.reduceRight((value, coefficient) => field.add(field.mul(value, BigInt(x)), coefficient), field.ZERO)
}

/** The same in the exponent: commitments to the coefficients give the commitment to the value. All of it is public. */
export function evaluateCommitment<P extends CurvePoint<bigint, P>>(zero: P, commitments: readonly P[], x: PartyIndex): P {
  return commitments.reduceRight((value, commitment) => value.multiplyUnsafe(BigInt(x)).add(commitment), zero)
}

/** The Lagrange coefficient of participant i among the signers, at x (derive_interpolating_value of RFC 9591, section 4.2, where x is 0). */
export function interpolatingValue(field: IField<bigint>, signers: readonly PartyIndex[], i: PartyIndex, x: PartyIndex | 0 = 0): bigint {
  let numerator = field.ONE
  let denominator = field.ONE
  for (const j of signers) {
    if (j === i) continue
    numerator = field.mul(numerator, field.create(BigInt(j - x)))
    denominator = field.mul(denominator, field.create(BigInt(j - i)))
  }
  return field.div(numerator, denominator)
}
