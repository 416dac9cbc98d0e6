import type { CurvePoint } from '@noble/curves/abstract/curve.js'
import { concatBytes } from '@noble/hashes/utils.js'
import type { ByParty, PartyIndex, RandomBytes } from '../protocol.ts'
import { readEach } from '../rounds.ts'
import { decodeElement, type KeySuite, randomScalar } from './key-suite.ts'
import { evaluate, evaluateCommitment } from './polynomial.ts'
import { proveKnowledge, verifyKnowledge } from './proof-of-knowledge.ts'

/**
 * What all participants deal alike: polynomials of degree threshold − 1, with a constant term of everybody's own, or of zero. `context` names
 * the ceremony, the threshold and the participants.
 */
export type Terms = { readonly threshold: number; readonly constantTerm: 'random' | 'zero'; readonly context: Uint8Array }

/** One participant's polynomial. */
export type Dealing<P> = {
  /** What everybody is told: the commitments to the coefficients, and the proofs. */
  readonly broadcast: Uint8Array
  /** The coefficients in the exponent, constant term first. */
  readonly polynomial: readonly P[]
  valueFor(party: PartyIndex): bigint
  wipe(): void
}

/** The sum of everybody's polynomials: its coefficients in the exponent, and this participant's value. */
export type SharedPolynomial<P> = { readonly commitments: readonly P[]; readonly value: bigint }

/**
 * Commits to the coefficients of a random polynomial and proves that it knows them. With a `zero` constant term no commitment to it is sent,
 * so there is none that could be another. As to proofs: with a `random` one the constant term is proven, as the FROST paper does (figure 1);
 * else every coefficient, so that nobody can make its polynomial out of the others' and cancel them.
 *
 * Coefficients are kept as bytes until they are wiped; the bigints they become for a moment cannot be wiped in JavaScript.
 */
export function deal<P extends CurvePoint<bigint, P>>(
  suite: KeySuite<P>,
  { self, rng, ...terms }: Terms & { self: PartyIndex; rng: RandomBytes },
): Dealing<P> {
  const { Fn, BASE } = suite.Point
  const { context } = terms
  const layout = layoutOf(terms)
  const coefficients = Array.from({ length: layout.coefficients }, () => Fn.toBytes(randomScalar(suite, rng)))
  const commitments = coefficients.map((coefficient) => BASE.multiply(Fn.fromBytes(coefficient)))
  const proofs = commitments
    .slice(0, layout.proofs)
    .map((element, k) => proveKnowledge(suite, { prover: self, element, context }, Fn.fromBytes(coefficients[k]!), rng))
  return {
    broadcast: concatBytes(...commitments.map((element) => element.toBytes()), ...proofs),
    polynomial: [...unsent(suite, terms), ...commitments],
    valueFor: (party) => {
      const polynomial = coefficients.map((coefficient) => Fn.fromBytes(coefficient))
      return evaluate(Fn, terms.constantTerm === 'random' ? polynomial : [Fn.ZERO, ...polynomial], party)
    },
    wipe: () => {
      for (const coefficient of coefficients) coefficient.fill(0)
    },
  }
}

/** How many bytes each participant is told by each other. */
export function dealingBytes<P extends CurvePoint<bigint, P>>(suite: KeySuite<P>, terms: Terms): number {
  const { coefficients, proofs } = layoutOf(terms)
  return coefficients * suite.elementBytes + proofs * proofBytes(suite)
}

/**
 * Each dealer's polynomial in the exponent; its length, its elements and its proofs checked.
 * @throws ProtocolAbort `invalid_message`, `invalid_proof`
 */
export function readDealings<P extends CurvePoint<bigint, P>>(
  suite: KeySuite<P>,
  broadcasts: ByParty,
  terms: Terms,
): Map<PartyIndex, readonly P[]> {
  const { elementBytes } = suite
  const layout = layoutOf(terms)
  const proofsAt = layout.coefficients * elementBytes
  const commitments = readEach(broadcasts, 'invalid_message', (bytes) => {
    if (bytes.length !== dealingBytes(suite, terms))
      throw new Error('as many commitments as the threshold says, and their proofs, are expected')
    return Array.from({ length: layout.coefficients }, (_, k) =>
      decodeElement(suite, bytes.subarray(k * elementBytes, (k + 1) * elementBytes)),
    )
  })
  readEach(broadcasts, 'invalid_proof', (bytes, prover) => {
    for (const [k, element] of commitments.get(prover)!.slice(0, layout.proofs).entries()) {
      const proofAt = proofsAt + k * proofBytes(suite)
      verifyKnowledge(suite, { prover, element, context: terms.context }, bytes.subarray(proofAt, proofAt + proofBytes(suite)))
    }
  })
  return new Map([...commitments].map(([dealer, sent]) => [dealer, [...unsent(suite, terms), ...sent]]))
}

/**
 * What the others have told this participant in private, each on its dealer's polynomial.
 * @throws ProtocolAbort `invalid_secret_share`
 */
export function readValues<P extends CurvePoint<bigint, P>>(
  { Point }: KeySuite<P>,
  secrets: ByParty,
  polynomials: ReadonlyMap<PartyIndex, readonly P[]>,
  self: PartyIndex,
): Map<PartyIndex, bigint> {
  return readEach(secrets, 'invalid_secret_share', (bytes, from) => {
    const value = Point.Fn.fromBytes(bytes)
    if (!Point.BASE.multiply(value).equals(evaluateCommitment(Point.ZERO, polynomials.get(from)!, self)))
      throw new Error('the share does not lie on the polynomial')
    return value
  })
}

/** Adds up everybody's polynomials, and everybody's values for this participant, its own included. */
export function addUp<P extends CurvePoint<bigint, P>>(
  { Point }: KeySuite<P>,
  polynomials: ReadonlyMap<PartyIndex, readonly P[]>,
  values: readonly bigint[],
): SharedPolynomial<P> {
  const [first, ...others] = [...polynomials.values()]
  return {
    commitments: first!.map((element, k) => others.reduce((sum, polynomial) => sum.add(polynomial[k]!), element)),
    value: values.reduce((sum, value) => Point.Fn.add(sum, value), Point.Fn.ZERO),
  }
}

const layoutOf = ({ constantTerm, threshold }: Terms) =>
  constantTerm === 'random' ? { coefficients: threshold, proofs: 1 } : { coefficients: threshold - 1, proofs: threshold - 1 }

const unsent = <P extends CurvePoint<bigint, P>>({ Point }: KeySuite<P>, { constantTerm }: Terms) =>
  constantTerm === 'random' ? [] : [Point.ZERO]

const proofBytes = <P extends CurvePoint<bigint, P>>({ publicBytes, Point }: KeySuite<P>) => publicBytes + Point.Fn.BYTES
