import type { CurvePoint } from '@noble/curves/abstract/curve.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes } from '@noble/hashes/utils.js'
import {
  type ByParty,
  type KeyMaterial,
  type Outgoing,
  type Participant,
  type PartyIndex,
  ProtocolAbort,
  type RandomBytes,
  type RecoveryOptions,
} from '../protocol.ts'
import { conduct, equalBytes, readEach, requireAgreement } from '../rounds.ts'
import { decodePublicPackage, decodeShare, encodeShare, type PublicPackage } from './key-material.ts'
import { decodeElement, domain, type KeySuite, randomScalar } from './key-suite.ts'
import { interpolatingValue } from './polynomial.ts'
import { requireSigners } from './signers.ts'

/** How often each participant speaks. */
export const RECOVERY_ROUNDS = 3

/**
 * Gives one participant its lost share back, with the help of a quorum of others (the enrolment protocol of Laing and Stinson, "A Survey and
 * Refinement of Repairable Threshold Schemes", section 4; the Zcash Foundation's repairable.rs), so that nobody learns a share of anybody
 * else. The lost share is a sum over the helpers, each of whom knows its own summand: its share times a Lagrange coefficient.
 *
 * 1. Each helper splits its summand into random pieces, one for each helper, and commits to them in public; the commitments have to add up to
 *    its verifying share times the coefficient.
 * 2. It gives the others their pieces, each of which has to open its commitment. All echo the hash of everything said in the first round.
 * 3. It gives the sum of the pieces it holds to the participant that lost its share, and repeats the echo. The sum has to open the sum of the
 *    commitments to its pieces, and all sums together the verifying share.
 *
 * A participant without a share cannot know which public package is the right one. All begin with its digest, and it demands that what it
 * was given is what the helpers have; as long as one of them is honest, a false one is noticed. Who speaks for a helper, and whether a
 * recovery is wanted at all, is for the caller to make sure of.
 *
 * Proofs of knowledge are not needed: a helper that does not know the pieces it has committed to cannot open them, and what others say does
 * not depend on it.
 */
export function recovery<P extends CurvePoint<bigint, P>>(suite: KeySuite<P>, options: RecoveryOptions): Participant<KeyMaterial | null> {
  const { self, lost, key, rng } = options
  const publicPackage = decodePublicPackage(suite, options.publicPackage)
  const helpers = requireSigners(options.helpers, publicPackage)
  if (!Number.isInteger(lost) || lost < 1 || lost > publicPackage.parties || helpers.includes(lost) || options.context.length === 0)
    throw new ProtocolAbort('invalid_parameters', 'no such share, or the one that is lost is to help, or there is no context')
  if (self === lost ? key !== undefined : key === undefined || !helpers.includes(self))
    throw new ProtocolAbort('invalid_parameters', 'helpers have a share, who lost its own has none, and nobody else takes part')
  const ceremony: Ceremony<P> = {
    suite,
    self,
    lost,
    helpers,
    publicPackage,
    packageBytes: options.publicPackage.slice(),
    context: sha256(concatBytes(domain(suite, 'recovery/context'), Uint8Array.of(lost, ...helpers), options.context)),
  }
  if (key === undefined) return recoverShare(ceremony)
  const share = decodeShare(suite, { share: key.share, publicPackage: options.publicPackage })
  if (share.self !== self) throw new ProtocolAbort('invalid_key', 'the share is that of another participant')
  return help(ceremony, suite.Point.Fn.fromBytes(share.scalar), rng)
}

type Ceremony<P extends CurvePoint<bigint, P>> = {
  suite: KeySuite<P>
  self: PartyIndex
  lost: PartyIndex
  /** In ascending order. */
  helpers: readonly PartyIndex[]
  publicPackage: PublicPackage<P>
  packageBytes: Uint8Array
  context: Uint8Array
}

/** Each helper's commitments to its pieces, by who is to have them. */
type Commitments<P> = ReadonlyMap<PartyIndex, ReadonlyMap<PartyIndex, P>>

/** The side of one that has a share. */
function help<P extends CurvePoint<bigint, P>>(ceremony: Ceremony<P>, share: bigint, rng: RandomBytes): Participant<null> {
  const { suite, self, lost, helpers, packageBytes } = ceremony
  const { Point } = suite
  const { Fn } = Point
  const others = helpers.filter((party) => party !== self)
  const pieces = new Map(others.map((party) => [party, Fn.toBytes(randomScalar(suite, rng))]))
  const summand = Fn.mul(interpolatingValue(Fn, helpers, self, lost), share)
  const ownPiece = [...pieces.values()].reduce((rest, piece) => Fn.sub(rest, Fn.fromBytes(piece)), summand)
  pieces.set(self, Fn.toBytes(ownPiece))
  const commitments = helpers.map((party) => Point.BASE.multiply(Fn.fromBytes(pieces.get(party)!)))

  let heard: Commitments<P>
  let echo: Uint8Array

  return conduct<null>({
    self,
    participants: [...helpers, lost],
    opening: say(concatBytes(sha256(packageBytes), ...commitments.map((element) => element.toBytes()))),
    wipe: () => {
      for (const piece of pieces.values()) piece.fill(0)
    },
    stages: [
      {
        secretsFrom: [],
        hear: ({ broadcasts }) => {
          heard = readCommitments(ceremony, broadcasts)
          echo = echoOf(ceremony, broadcasts)
          return { kind: 'message', outgoing: say(echo, new Map(others.map((party) => [party, pieces.get(party)!.slice()]))) }
        },
      },
      {
        secretsFrom: others,
        hear: ({ broadcasts, secrets }) => {
          requireAgreement(broadcasts, echo, 'equivocation')
          const received = readScalars(suite, secrets, (from) => heard.get(from)!.get(self)!)
          const sum = [...received.values()].reduce((total, piece) => Fn.add(total, piece), Fn.fromBytes(pieces.get(self)!))
          return { kind: 'message', outgoing: say(echo, new Map([[lost, Fn.toBytes(sum)]])) }
        },
      },
      {
        secretsFrom: [],
        hear: ({ broadcasts }) => {
          requireAgreement(broadcasts, echo, 'equivocation')
          return { kind: 'done', result: null }
        },
      },
    ],
  })
}

/** The side of the one that has lost its share. */
function recoverShare<P extends CurvePoint<bigint, P>>(ceremony: Ceremony<P>): Participant<KeyMaterial> {
  const { suite, self, helpers, publicPackage, packageBytes } = ceremony
  const { Point } = suite
  const { Fn } = Point
  let heard: Commitments<P>
  let echo: Uint8Array

  return conduct<KeyMaterial>({
    self,
    participants: [...helpers, self],
    opening: say(sha256(packageBytes)),
    wipe: () => {},
    stages: [
      {
        secretsFrom: [],
        hear: ({ broadcasts }) => {
          heard = readCommitments(ceremony, broadcasts)
          echo = echoOf(ceremony, broadcasts)
          return { kind: 'message', outgoing: say(echo) }
        },
      },
      {
        secretsFrom: [],
        hear: ({ broadcasts }) => {
          requireAgreement(broadcasts, echo, 'equivocation')
          return { kind: 'message', outgoing: say(echo) }
        },
      },
      {
        secretsFrom: helpers,
        hear: ({ broadcasts, secrets }) => {
          requireAgreement(broadcasts, echo, 'equivocation')
          const sums = readScalars(suite, secrets, (from) =>
            [...heard.values()].reduce((sum, commitments) => sum.add(commitments.get(from)!), Point.ZERO),
          )
          const share = [...sums.values()].reduce((total, sum) => Fn.add(total, sum), Fn.ZERO)
          if (!Point.BASE.multiply(share).equals(publicPackage.verifyingShare(self)))
            throw new ProtocolAbort('invalid_key', 'the verifying shares of the public package do not belong together')
          const result = {
            share: encodeShare(self, Fn.toBytes(share), packageBytes),
            publicPackage: packageBytes,
            publicKey: suite.encodePublic(publicPackage.publicKey),
          }
          return { kind: 'done', result }
        },
      },
    ],
  })
}

const say = (broadcast: Uint8Array, secret: ByParty = new Map()): Outgoing => ({ broadcast, secret })

/**
 * Everybody's package checked, and what each helper has committed to.
 * @throws ProtocolAbort; `package_mismatch` names helpers only to another helper, as its share tells it which package is the right one
 */
function readCommitments<P extends CurvePoint<bigint, P>>(ceremony: Ceremony<P>, broadcasts: ByParty): Commitments<P> {
  const { suite, self, lost, helpers, publicPackage, packageBytes } = ceremony
  const { Point, elementBytes } = suite
  const digest = sha256(packageBytes)
  const dissenting = [...broadcasts].filter(([, bytes]) => !equalBytes(bytes.subarray(0, digest.length), digest)).map(([party]) => party)
  if (dissenting.length > 0)
    throw new ProtocolAbort(
      'package_mismatch',
      `participants ${dissenting.join(', ')} have another public package`,
      self === lost ? [] : dissenting.filter((party) => party !== lost),
    )
  const lengthOf = (party: PartyIndex) => digest.length + (party === lost ? 0 : helpers.length * elementBytes)
  const commitments = readEach(broadcasts, 'invalid_message', (bytes, from) => {
    if (bytes.length !== lengthOf(from)) throw new Error('a helper commits to a piece for each helper, and nobody else to anything')
    const elementAt = (k: number) => bytes.subarray(digest.length + k * elementBytes, digest.length + (k + 1) * elementBytes)
    return new Map(from === lost ? [] : helpers.map((party, k) => [party, decodeElement(suite, elementAt(k))]))
  })
  commitments.delete(lost)
  readEach(commitments, 'invalid_contribution', (pieces, from) => {
    const sum = [...pieces.values()].reduce((total, element) => total.add(element), Point.ZERO)
    const coefficient = interpolatingValue(Point.Fn, helpers, from, lost)
    if (!publicPackage.verifyingShare(from).multiplyUnsafe(coefficient).equals(sum))
      throw new Error('the commitments do not add up to the verifying share')
  })
  return commitments
}

function echoOf<P extends CurvePoint<bigint, P>>({ suite, lost, helpers, context }: Ceremony<P>, broadcasts: ByParty): Uint8Array {
  return sha256(concatBytes(domain(suite, 'recovery/echo'), context, ...[...helpers, lost].map((party) => broadcasts.get(party)!)))
}

/** Scalars said in private, each of which has to open the commitment of its sender. */
function readScalars<P extends CurvePoint<bigint, P>>(
  { Point }: KeySuite<P>,
  secrets: ByParty,
  commitmentOf: (from: PartyIndex) => P,
): Map<PartyIndex, bigint> {
  return readEach(secrets, 'invalid_secret_share', (bytes, from) => {
    const scalar = Point.Fn.fromBytes(bytes)
    if (!Point.BASE.multiply(scalar).equals(commitmentOf(from))) throw new Error('the secret does not open its commitment')
    return scalar
  })
}
