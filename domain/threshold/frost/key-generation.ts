import type { CurvePoint } from '@noble/curves/abstract/curve.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes } from '@noble/hashes/utils.js'
import { type KeyGenerationOptions, type KeyMaterial, type Participant, ProtocolAbort } from '../protocol.ts'
import { type Ciphersuite, domain } from './ciphersuite.ts'
import { jointSharing, type SharedPolynomial } from './joint-sharing.ts'
import { encodePublicPackage, encodeShare, isThreshold } from './key-material.ts'
import { evaluateCommitment } from './polynomial.ts'
import { publicForm } from './public-form.ts'

/** Pedersen's distributed key generation with proofs of knowledge (FROST paper, figure 1). */
export function keyGeneration<P extends CurvePoint<bigint, P>>(
  suite: Ciphersuite<P>,
  options: KeyGenerationOptions,
): Participant<KeyMaterial> {
  const { self, threshold, parties, rng } = options
  if (!isThreshold(options) || !Number.isInteger(self) || self < 1 || self > parties || options.context.length === 0)
    throw new ProtocolAbort('invalid_parameters', 'no such threshold, participant or context')
  return jointSharing(suite, {
    purpose: 'key-generation',
    constantTerm: 'random',
    self,
    threshold,
    parties,
    context: sha256(concatBytes(domain(suite, 'key-generation/context'), Uint8Array.of(threshold, parties), options.context)),
    rng,
    conclude: (polynomial) => keyMaterial(suite, options, polynomial),
  })
}

/**
 * The key is the constant term of the polynomial, brought into the form that the signature scheme uses. The chain code is a hash of what all
 * have seen; whoever speaks last can choose among values of it, which gives nothing, as tweaks are public and depend on the key too.
 */
function keyMaterial<P extends CurvePoint<bigint, P>>(
  suite: Ciphersuite<P>,
  { self, threshold, parties }: KeyGenerationOptions,
  { commitments, value, echo }: SharedPolynomial<P>,
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
