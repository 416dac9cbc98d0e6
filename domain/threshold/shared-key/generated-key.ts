import type { CurvePoint } from '@noble/curves/abstract/curve.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes } from '@noble/hashes/utils.js'
import { type KeyMaterial, type PartyIndex, ProtocolAbort, type Threshold } from '../protocol.ts'
import type { SharedPolynomial } from './dealing.ts'
import { encodePublicPackage, encodeShare } from './key-material.ts'
import { domain, type KeySuite } from './key-suite.ts'
import { evaluateCommitment } from './polynomial.ts'
import { publicForm } from './public-form.ts'

/**
 * The key is the constant term of the polynomial, brought into the form that the signature scheme uses. The chain code is a hash of what all
 * have seen, `echo`; whoever speaks last can choose among values of it, which gives nothing, as tweaks are public and depend on the key too.
 * @throws ProtocolAbort `invalid_message` when the key would be the identity
 */
export function generatedKey<P extends CurvePoint<bigint, P>>(
  suite: KeySuite<P>,
  { self, threshold, parties }: Threshold & { self: PartyIndex },
  { commitments, value }: SharedPolynomial<P>,
  echo: Uint8Array,
): KeyMaterial {
  const { Point } = suite
  const [constant] = commitments
  if (!constant || constant.is0()) throw new ProtocolAbort('invalid_message', 'the public key is the identity')
  const form = publicForm(suite, constant)
  const publicKey = form.element(constant)
  const chainCode = sha256(concatBytes(domain(suite, 'key-generation/chain-code'), echo))
  const verifyingShares = Array.from({ length: parties }, (_, i) => form.element(evaluateCommitment(Point.ZERO, commitments, i + 1)))
  const publicPackage = encodePublicPackage({ threshold, parties, chainCode, publicKey }, verifyingShares)
  return {
    share: encodeShare(self, Point.Fn.toBytes(form.scalar(value)), publicPackage),
    publicPackage,
    publicKey: suite.encodePublic(publicKey),
  }
}
