import type { CurvePoint } from '@noble/curves/abstract/curve.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes } from '@noble/hashes/utils.js'
import { type KeyMaterial, type Participant, type PartyIndex, ProtocolAbort, type RefreshOptions } from '../protocol.ts'
import { type Ciphersuite, domain } from './ciphersuite.ts'
import { jointSharing, type SharedPolynomial } from './joint-sharing.ts'
import { decodePublicPackage, decodeShare, encodePublicPackage, encodeShare, type PublicPackage } from './key-material.ts'
import { evaluateCommitment, interpolatingValue } from './polynomial.ts'

/**
 * Proactive refresh (Herzberg, Jarecki, Krawczyk and Yung, "Proactive Secret Sharing", section 3; the Zcash Foundation's refresh_dkg): all
 * holders add the values of a shared polynomial that is zero at zero to their shares. Public key and chain code stay; shares of before and
 * after do not go together. Whoever had got hold of fewer shares than the threshold before has nothing any more. Somebody who reads a party
 * during a refresh has its shares of both sides of it.
 */
export function refresh<P extends CurvePoint<bigint, P>>(
  suite: Ciphersuite<P>,
  { key, context, rng }: RefreshOptions,
): Participant<KeyMaterial> {
  const { Point } = suite
  const { self, scalar, packageDigest } = decodeShare(suite, key)
  const old = decodePublicPackage(suite, key.publicPackage)
  const { threshold, parties } = old
  if (context.length === 0) throw new ProtocolAbort('invalid_parameters', 'a refresh needs a context')
  if (threshold === 1)
    throw new ProtocolAbort('invalid_parameters', 'with a threshold of 1 every share is the key: there is nothing to refresh')
  const oldShare = scalar.slice()
  return jointSharing(suite, {
    purpose: 'refresh',
    constantTerm: 'zero',
    self,
    threshold,
    parties,
    context: sha256(concatBytes(domain(suite, 'refresh/context'), packageDigest, context)),
    rng,
    conclude: (polynomial) => refreshed(suite, old, { self, share: Point.Fn.fromBytes(oldShare) }, polynomial),
    wipe: () => oldShare.fill(0),
  })
}

/** @throws ProtocolAbort `invalid_key` unless the new shares are shares of the old key */
function refreshed<P extends CurvePoint<bigint, P>>(
  suite: Ciphersuite<P>,
  old: PublicPackage<P>,
  { self, share }: { self: PartyIndex; share: bigint },
  { commitments, value }: SharedPolynomial<P>,
): KeyMaterial {
  const { Point } = suite
  const verifyingShares = Array.from({ length: old.parties }, (_, i) =>
    old.verifyingShare(i + 1).add(evaluateCommitment(Point.ZERO, commitments, i + 1)),
  )
  requireSharesOf(suite, old, verifyingShares)
  const newShare = Point.Fn.add(share, value)
  if (!Point.BASE.multiply(newShare).equals(verifyingShares[self - 1]!))
    throw new ProtocolAbort('invalid_key', 'the share does not belong to its public package')
  const publicPackage = encodePublicPackage(old, verifyingShares)
  return {
    share: encodeShare(self, Point.Fn.toBytes(newShare), publicPackage),
    publicPackage,
    publicKey: suite.encodePublic(old.publicKey),
  }
}

/** Every verifying share must give the public key together with the first threshold − 1 ones: then all quorums do. */
function requireSharesOf<P extends CurvePoint<bigint, P>>(
  { Point, linearCombination }: Ciphersuite<P>,
  { threshold, publicKey }: PublicPackage<P>,
  verifyingShares: readonly P[],
): void {
  const first = Array.from({ length: threshold - 1 }, (_, i) => i + 1)
  for (let last = threshold; last <= verifyingShares.length; last++) {
    const quorum = [...first, last]
    const coefficients = quorum.map((party) => interpolatingValue(Point.Fn, quorum, party))
    const shares = quorum.map((party) => verifyingShares[party - 1]!)
    if (!linearCombination(shares, coefficients).equals(publicKey))
      throw new ProtocolAbort('invalid_key', 'the verifying shares do not belong to the public key')
  }
}
