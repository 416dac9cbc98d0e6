import type { CurvePoint } from '@noble/curves/abstract/curve.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes } from '@noble/hashes/utils.js'
import type { ByParty, KeyMaterial, Participant, PartyIndex, RandomBytes, Threshold } from '../protocol.ts'
import { conduct, readEach, requireAgreement } from '../rounds.ts'
import { type Ciphersuite, decodeElement, domain, randomScalar } from './ciphersuite.ts'
import { evaluate, evaluateCommitment } from './polynomial.ts'
import { proveKnowledge, verifyKnowledge } from './proof-of-knowledge.ts'

/** How often each participant speaks. */
export const JOINT_SHARING_ROUNDS = 3

/** The sum of everybody's polynomials: its coefficients in the exponent, this participant's value, and the hash of what all have seen. */
export type SharedPolynomial<P> = { readonly commitments: readonly P[]; readonly value: bigint; readonly echo: Uint8Array }

/**
 * All participants share a polynomial of degree threshold − 1 that nobody knows: the sum of a random one of each. Over a carrier that is not
 * trusted to broadcast,
 *
 * 1. each participant commits to its coefficients and proves that it knows them;
 * 2. it echoes the hash of all commitments it was told, and gives each other participant its value of the polynomial, in private;
 * 3. it confirms the hash of everything that came out; only when all agree is there a result.
 *
 * With a `zero` constant term no commitment to it is sent, so there is none that could be another. As to proofs: with a `random` one the
 * constant term is proven, as the FROST paper does (figure 1); else every coefficient, so that nobody can make its polynomial out of the
 * others' and cancel them.
 *
 * Coefficients and shares are kept as bytes and zeroed at the end; the bigints they become for a moment cannot be wiped in JavaScript.
 */
export function jointSharing<P extends CurvePoint<bigint, P>>(
  suite: Ciphersuite<P>,
  sharing: Threshold & {
    purpose: 'key-generation' | 'refresh'
    constantTerm: 'random' | 'zero'
    self: PartyIndex
    /** Names the ceremony, the threshold and the participants. */
    context: Uint8Array
    rng: RandomBytes
    /** Makes key material of the polynomial; what is confirmed in the third round is its public package. */
    conclude(polynomial: SharedPolynomial<P>): KeyMaterial
    /** Called when the participant ends, however it does. */
    wipe?(): void
  },
): Participant<KeyMaterial> {
  const { purpose, constantTerm, self, threshold, parties, context, rng, conclude } = sharing
  const { Point } = suite
  const { Fn } = Point
  const participants = Array.from({ length: parties }, (_, i) => i + 1)
  const others = participants.filter((party) => party !== self)
  const layout = constantTerm === 'random' ? { coefficients: threshold, proofs: 1 } : { coefficients: threshold - 1, proofs: threshold - 1 }
  const unsent = constantTerm === 'random' ? [] : [Point.ZERO]

  const coefficients = Array.from({ length: layout.coefficients }, () => Fn.toBytes(randomScalar(suite, rng)))
  const commitments = coefficients.map((coefficient) => Point.BASE.multiply(Fn.fromBytes(coefficient)))
  const proofs = commitments
    .slice(0, layout.proofs)
    .map((element, k) => proveKnowledge(suite, { prover: self, element, context }, Fn.fromBytes(coefficients[k]!), rng))
  const opening = { broadcast: concatBytes(...commitments.map((element) => element.toBytes()), ...proofs), secret: new Map() }

  const ownValueFor = (party: PartyIndex) => {
    const polynomial = coefficients.map((coefficient) => Fn.fromBytes(coefficient))
    return evaluate(Fn, constantTerm === 'random' ? polynomial : [Fn.ZERO, ...polynomial], party)
  }

  let polynomials: ReadonlyMap<PartyIndex, readonly P[]>
  let echo: Uint8Array
  let material: KeyMaterial | undefined

  return conduct<KeyMaterial>({
    self,
    participants,
    opening,
    wipe: () => {
      for (const coefficient of coefficients) coefficient.fill(0)
      material?.share.fill(0)
      sharing.wipe?.()
    },
    stages: [
      {
        secretsFrom: [],
        hear: ({ broadcasts }) => {
          const heard = readCommitments(suite, new Map(others.map((party) => [party, broadcasts.get(party)!])), { layout, context })
          polynomials = new Map([...heard.set(self, commitments)].map(([party, sent]) => [party, [...unsent, ...sent]]))
          echo = sha256(concatBytes(domain(suite, `${purpose}/echo`), context, ...participants.map((party) => broadcasts.get(party)!)))
          const secret = new Map(others.map((party) => [party, Fn.toBytes(ownValueFor(party))]))
          return { kind: 'message', outgoing: { broadcast: echo, secret } }
        },
      },
      {
        secretsFrom: others,
        hear: ({ broadcasts, secrets }) => {
          requireAgreement(broadcasts, echo, 'equivocation')
          const received = readEach(secrets, 'invalid_secret_share', (bytes, from) => {
            const value = Fn.fromBytes(bytes)
            if (!Point.BASE.multiply(value).equals(evaluateCommitment(Point.ZERO, polynomials.get(from)!, self)))
              throw new Error('the share does not lie on the polynomial')
            return value
          })
          const value = [...received.values()].reduce((sum, summand) => Fn.add(sum, summand), ownValueFor(self))
          const sums = Array.from({ length: threshold }, (_, k) =>
            [...polynomials.values()].reduce((sum, polynomial) => sum.add(polynomial[k]!), Point.ZERO),
          )
          material = conclude({ commitments: sums, value, echo })
          const confirmation = sha256(concatBytes(domain(suite, `${purpose}/confirmation`), echo, material.publicPackage))
          return { kind: 'message', outgoing: { broadcast: confirmation, secret: new Map() } }
        },
      },
      {
        secretsFrom: [],
        hear: ({ broadcasts }) => {
          requireAgreement(broadcasts, broadcasts.get(self)!, 'package_mismatch')
          const result = material!
          material = undefined
          return { kind: 'done', result }
        },
      },
    ],
  })
}

/** Each sender's committed polynomial, its length, its elements and its proofs checked. */
function readCommitments<P extends CurvePoint<bigint, P>>(
  suite: Ciphersuite<P>,
  broadcasts: ByParty,
  { layout, context }: { layout: { coefficients: number; proofs: number }; context: Uint8Array },
): Map<PartyIndex, P[]> {
  const { elementBytes } = suite
  const proofBytes = suite.publicBytes + suite.Point.Fn.BYTES
  const proofsAt = layout.coefficients * elementBytes
  const commitments = readEach(broadcasts, 'invalid_message', (bytes) => {
    if (bytes.length !== proofsAt + layout.proofs * proofBytes)
      throw new Error('as many commitments as the threshold says, and their proofs, are expected')
    return Array.from({ length: layout.coefficients }, (_, k) =>
      decodeElement(suite, bytes.subarray(k * elementBytes, (k + 1) * elementBytes)),
    )
  })
  readEach(broadcasts, 'invalid_proof', (bytes, prover) => {
    for (const [k, element] of commitments.get(prover)!.slice(0, layout.proofs).entries()) {
      const proofAt = proofsAt + k * proofBytes
      verifyKnowledge(suite, { prover, element, context }, bytes.subarray(proofAt, proofAt + proofBytes))
    }
  })
  return commitments
}
