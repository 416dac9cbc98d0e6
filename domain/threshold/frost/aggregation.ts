import type { CurvePoint } from '@noble/curves/abstract/curve.js'
import { concatBytes } from '@noble/hashes/utils.js'
import { type PartyIndex, ProtocolAbort, type Signature, type Transcript } from '../protocol.ts'
import { readEach, requireParticipants } from '../rounds.ts'
import { type Ciphersuite, requirePrimeOrder } from './ciphersuite.ts'
import { decodeNonceCommitment, type NonceCommitment, type SigningPackage, signingPackage } from './group-commitment.ts'
import { decodePublicPackage, type PublicPackage } from './key-material.ts'
import { interpolatingValue } from './polynomial.ts'
import { requireSigners } from './signers.ts'

/**
 * Section 5.3 of RFC 9591. The sum is verified as any verifier would; only when that fails are the shares looked at one by one, to name
 * the culprits.
 */
export function aggregate<P extends CurvePoint<bigint, P>>(suite: Ciphersuite<P>, transcript: Transcript): Signature {
  const { Fn } = suite.Point
  const publicPackage = decodePublicPackage(suite, transcript.publicPackage)
  const signers = requireSigners(transcript.signers, publicPackage)
  const [openings, ...others] = transcript.broadcasts
  if (!openings || others.length > 0) throw new ProtocolAbort('invalid_parameters', 'expected the broadcasts of one round')
  requireParticipants(openings, signers)
  requireParticipants(transcript.contributions, signers)

  const commitments = readEach(openings, 'invalid_message', (bytes) => decodeNonceCommitment(suite, bytes))
  const shares = readEach(transcript.contributions, 'invalid_contribution', (bytes) => Fn.fromBytes(bytes))
  const signingPkg = signingPackage(suite, publicPackage, commitments, transcript.message)

  let sum = Fn.ZERO
  for (const share of shares.values()) sum = Fn.add(sum, share)
  const signature = concatBytes(suite.encodePublic(signingPkg.R), Fn.toBytes(sum))
  if (suite.verify(suite.encodePublic(publicPackage.publicKey), transcript.message, signature)) return { signature }

  nameCulprits(suite, { publicPackage, signers, commitments, shares, signingPkg })
  throw new ProtocolAbort('invalid_key', 'every share is valid, but the public package is not consistent')
}

function nameCulprits<P extends CurvePoint<bigint, P>>(
  suite: Ciphersuite<P>,
  attempt: {
    publicPackage: PublicPackage<P>
    signers: readonly PartyIndex[]
    commitments: ReadonlyMap<PartyIndex, NonceCommitment<P>>
    shares: ReadonlyMap<PartyIndex, bigint>
    signingPkg: SigningPackage<P>
  },
): void {
  const { Point } = suite
  const { publicPackage, signers, commitments, shares, signingPkg } = attempt
  readEach(commitments, 'invalid_message', ({ hiding, binding }) => {
    requirePrimeOrder(hiding)
    requirePrimeOrder(binding)
  })
  readEach(shares, 'invalid_contribution', (share, signer) => {
    const { hiding, binding } = commitments.get(signer)!
    const nonces = hiding.add(binding.multiplyUnsafe(signingPkg.bindingFactors.get(signer)!))
    const weight = Point.Fn.mul(signingPkg.challenge, interpolatingValue(Point.Fn, signers, signer))
    const expected = (signingPkg.negated ? nonces.negate() : nonces).add(publicPackage.verifyingShares[signer - 1]!.multiplyUnsafe(weight))
    if (!Point.BASE.multiplyUnsafe(share).equals(expected)) throw new Error('the signature share does not fit')
  })
}
