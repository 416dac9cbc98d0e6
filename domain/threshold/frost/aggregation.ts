import type { CurvePoint } from '@noble/curves/abstract/curve.js'
import { concatBytes } from '@noble/hashes/utils.js'
import { type ByParty, type PartyIndex, ProtocolAbort, type Signature, type Transcript } from '../protocol.ts'
import { readEach, requireParticipants } from '../rounds.ts'
import { derive } from '../shared-key/derivation.ts'
import { decodePublicPackage, type PublicPackage } from '../shared-key/key-material.ts'
import { interpolatingValue } from '../shared-key/polynomial.ts'
import { requireSigners } from '../shared-key/signers.ts'
import type { Ciphersuite } from './ciphersuite.ts'
import { decodeNonceCommitment, groupCommitment } from './group-commitment.ts'

/**
 * Section 5.3 of RFC 9591, the fast way first: R is what a signer says it is, and the sum is verified as any verifier would. A signature
 * that verifies is a signature, wherever its R came from. Only when it does not are commitments and shares looked at one by one.
 */
export function aggregate<P extends CurvePoint<bigint, P>>(suite: Ciphersuite<P>, transcript: Transcript): Signature {
  const { Fn } = suite.Point
  const { message, broadcasts, contributions } = transcript
  const { publicPackage } = derive(suite, decodePublicPackage(suite, transcript.publicPackage), transcript.path)
  const signers = requireSigners(transcript.signers, publicPackage)
  requireParticipants(broadcasts, signers)
  requireParticipants(contributions, signers)

  const shares = readEach(contributions, 'invalid_contribution', (bytes) => Fn.fromBytes(bytes.subarray(suite.publicBytes)))
  let sum = Fn.ZERO
  for (const share of shares.values()) sum = Fn.add(sum, share)
  const publicKey = suite.encodePublic(publicPackage.publicKey)
  const complete = (R: Uint8Array) => {
    const signature = concatBytes(R, Fn.toBytes(sum))
    return suite.verify(publicKey, message, signature) ? { signature } : undefined
  }

  const [contribution] = contributions.values()
  const signature =
    complete(contribution!.subarray(0, suite.publicBytes)) ??
    complete(suite.encodePublic(verifyShares(suite, { publicPackage, signers, broadcasts, shares, message })))
  if (!signature) throw new ProtocolAbort('invalid_key', 'the verifying shares do not belong to the public key')
  return signature
}

/**
 * R of the signature to which every share contributes rightly.
 * @throws ProtocolAbort naming those who sent invalid commitments or, when there are none, invalid shares
 */
function verifyShares<P extends CurvePoint<bigint, P>>(
  suite: Ciphersuite<P>,
  attempt: {
    publicPackage: PublicPackage<P>
    signers: readonly PartyIndex[]
    broadcasts: ByParty
    shares: ReadonlyMap<PartyIndex, bigint>
    message: Uint8Array
  },
): P {
  const { Point } = suite
  const { publicPackage, signers, broadcasts, shares, message } = attempt
  const verifyingShares = new Map(signers.map((signer) => [signer, publicPackage.verifyingShare(signer)]))
  const commitments = readEach(broadcasts, 'invalid_message', (bytes) => decodeNonceCommitment(suite, bytes))
  const { R, negated, challenge, bindingFactors } = groupCommitment(suite, publicPackage, commitments, message)
  readEach(shares, 'invalid_contribution', (share, signer) => {
    const { hiding, binding } = commitments.get(signer)!
    const nonces = hiding.add(binding.multiplyUnsafe(bindingFactors.get(signer)!))
    const weight = Point.Fn.mul(challenge, interpolatingValue(Point.Fn, signers, signer))
    const expected = (negated ? nonces.negate() : nonces).add(verifyingShares.get(signer)!.multiplyUnsafe(weight))
    if (!Point.BASE.multiplyUnsafe(share).equals(expected)) throw new Error('the signature share does not fit')
  })
  return R
}
