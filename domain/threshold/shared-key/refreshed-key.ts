import type { CurvePoint } from '@noble/curves/abstract/curve.js'
import { type KeyMaterial, type PartyIndex, ProtocolAbort } from '../protocol.ts'
import type { SharedPolynomial } from './dealing.ts'
import { encodePublicPackage, encodeShare, type PublicPackage } from './key-material.ts'
import type { KeySuite } from './key-suite.ts'
import { evaluateCommitment, interpolatingValue } from './polynomial.ts'

/**
 * The same key, shared anew: a polynomial that is zero at zero is added to the old one.
 * @throws ProtocolAbort `invalid_key` unless the new shares are shares of the old key
 */
export function refreshedKey<P extends CurvePoint<bigint, P>>(
  suite: KeySuite<P>,
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
  { Point, linearCombination }: KeySuite<P>,
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
