import type { CurvePoint } from '@noble/curves/abstract/curve.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { type ByParty, type KeyGenerationOptions, type KeyMaterial, type Participant, type PartyIndex, ProtocolAbort } from '../protocol.ts'
import { conduct, equalBytes, readEach } from '../rounds.ts'
import { type Ciphersuite, decodeElement, randomScalar } from './ciphersuite.ts'
import { encodePublicPackage, encodeShare, isThreshold } from './key-material.ts'
import { evaluate, evaluateCommitment } from './polynomial.ts'
import { proveKnowledge, verifyKnowledge } from './proof-of-knowledge.ts'
import { publicForm } from './public-form.ts'

/** Round 1 … 3. */
export const KEY_GENERATION_ROUNDS = 3

/**
 * Pedersen's distributed key generation with proofs of knowledge (FROST paper, figure 1), over a carrier that is not trusted to broadcast:
 *
 * 1. each participant commits to a random polynomial and proves that it knows the constant term;
 * 2. it echoes the hash of all commitments it was told, and gives each other participant its value of the polynomial, in private;
 * 3. it confirms the hash of everything that came out; only when all agree is there a key.
 *
 * Coefficients and shares are kept as bytes and zeroed at the end; the bigints they become for a moment cannot be wiped in JavaScript.
 */
export function keyGeneration<P extends CurvePoint<bigint, P>>(
  suite: Ciphersuite<P>,
  options: KeyGenerationOptions,
): Participant<KeyMaterial> {
  const { self, threshold, parties, rng } = options
  if (!isThreshold(options) || !Number.isInteger(self) || self < 1 || self > parties || options.context.length === 0)
    throw new ProtocolAbort('invalid_parameters', 'no such threshold, participant or context')
  const { Point } = suite
  const { Fn } = Point
  const participants = Array.from({ length: parties }, (_, i) => i + 1)
  const context = sha256(concatBytes(domain(suite, 'context'), Uint8Array.of(threshold, parties), options.context))

  const coefficients = Array.from({ length: threshold }, () => Fn.toBytes(randomScalar(suite, rng)))
  const commitments = coefficients.map((coefficient) => Point.BASE.multiply(Fn.fromBytes(coefficient)))
  const proof = proveKnowledge(suite, { prover: self, element: commitments[0]!, context }, Fn.fromBytes(coefficients[0]!), rng)
  const opening = { broadcast: concatBytes(...commitments.map((element) => element.toBytes()), proof), secret: new Map() }

  let heard: ReadonlyMap<PartyIndex, readonly P[]>
  let echo: Uint8Array
  let material: KeyMaterial | undefined

  return conduct<KeyMaterial>({
    self,
    participants,
    opening,
    wipe: () => {
      for (const coefficient of coefficients) coefficient.fill(0)
      material?.share.fill(0)
    },
    stages: [
      ({ broadcasts }) => {
        const others = new Map([...broadcasts].filter(([party]) => party !== self))
        heard = readCommitments(suite, others, { threshold, context }).set(self, commitments)
        echo = sha256(concatBytes(domain(suite, 'echo'), context, ...participants.map((party) => broadcasts.get(party)!)))
        const polynomial = coefficients.map((coefficient) => Fn.fromBytes(coefficient))
        const secret = new Map([...others.keys()].map((party) => [party, Fn.toBytes(evaluate(Fn, polynomial, party))]))
        return { kind: 'message', outgoing: { broadcast: echo, secret } }
      },

      ({ broadcasts, secrets }) => {
        requireAgreement(broadcasts, echo, 'equivocation')
        const received = readEach(secrets, 'invalid_secret_share', (bytes, from) => {
          const value = Fn.fromBytes(bytes)
          if (!Point.BASE.multiply(value).equals(evaluateCommitment(Point.ZERO, heard.get(from)!, self)))
            throw new Error('the share does not lie on the polynomial')
          return value
        })
        const polynomial = coefficients.map((coefficient) => Fn.fromBytes(coefficient))
        let secret = evaluate(Fn, polynomial, self)
        for (const value of received.values()) secret = Fn.add(secret, value)
        material = combine(suite, { self, threshold, parties }, [...heard.values()], secret)
        const confirmation = sha256(concatBytes(domain(suite, 'confirmation'), echo, material.publicPackage))
        return { kind: 'message', outgoing: { broadcast: confirmation, secret: new Map() } }
      },

      ({ broadcasts }) => {
        requireAgreement(broadcasts, broadcasts.get(self)!, 'package_mismatch')
        const result = material!
        material = undefined
        return { kind: 'done', result }
      },
    ],
  })
}

/** Each sender's committed polynomial, its length, its elements and its proof checked. */
function readCommitments<P extends CurvePoint<bigint, P>>(
  suite: Ciphersuite<P>,
  broadcasts: ByParty,
  { threshold, context }: { threshold: number; context: Uint8Array },
): Map<PartyIndex, P[]> {
  const proofAt = threshold * suite.elementBytes
  const commitments = readEach(broadcasts, 'invalid_message', (bytes) => {
    if (bytes.length !== proofAt + suite.publicBytes + suite.Point.Fn.BYTES)
      throw new Error('as many commitments as the threshold says, and one proof, are expected')
    return Array.from({ length: threshold }, (_, k) =>
      decodeElement(suite, bytes.subarray(k * suite.elementBytes, (k + 1) * suite.elementBytes)),
    )
  })
  readEach(broadcasts, 'invalid_proof', (bytes, prover) =>
    verifyKnowledge(suite, { prover, element: commitments.get(prover)![0]!, context }, bytes.subarray(proofAt)),
  )
  return commitments
}

/** The group's polynomial is the sum of everybody's; the key is its constant term, brought into the form that the signature scheme uses. */
function combine<P extends CurvePoint<bigint, P>>(
  suite: Ciphersuite<P>,
  { self, threshold, parties }: { self: PartyIndex; threshold: number; parties: number },
  polynomials: readonly (readonly P[])[],
  secret: bigint,
): KeyMaterial {
  const { Point } = suite
  const { Fn } = Point
  const sums = Array.from({ length: threshold }, (_, k) => polynomials.reduce((sum, commitments) => sum.add(commitments[k]!), Point.ZERO))
  if (sums[0]!.is0()) throw new ProtocolAbort('invalid_message', 'the public key is the identity')
  const form = publicForm(suite, sums[0]!)
  const verifyingShares = Array.from({ length: parties }, (_, i) => form.element(evaluateCommitment(Point.ZERO, sums, i + 1)))
  const publicKey = form.element(sums[0]!)
  const publicPackage = encodePublicPackage({ threshold, parties }, publicKey, verifyingShares)
  return {
    share: encodeShare(self, Fn.toBytes(form.scalar(secret)), publicPackage),
    publicPackage,
    publicKey: suite.encodePublic(publicKey),
  }
}

function requireAgreement(broadcasts: ByParty, expected: Uint8Array, code: 'equivocation' | 'package_mismatch'): void {
  const dissenting = [...broadcasts].filter(([, hash]) => !equalBytes(hash, expected)).map(([party]) => party)
  if (dissenting.length > 0) throw new ProtocolAbort(code, `participants ${dissenting.join(', ')} have seen something else`)
}

const domain = <P extends CurvePoint<bigint, P>>({ scheme }: Ciphersuite<P>, purpose: string) =>
  utf8ToBytes(`quorate/${scheme}/key-generation/${purpose}\0`)
