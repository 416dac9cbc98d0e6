import type { CurvePoint } from '@noble/curves/abstract/curve.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes } from '@noble/hashes/utils.js'
import { type KeyGenerationOptions, type KeyMaterial, type Participant, ProtocolAbort } from '../protocol.ts'
import { generatedKey } from '../shared-key/generated-key.ts'
import { isThreshold } from '../shared-key/key-material.ts'
import { domain, type KeySuite } from '../shared-key/key-suite.ts'
import { jointSharing } from './joint-sharing.ts'

/** Pedersen's distributed key generation with proofs of knowledge (FROST paper, figure 1). */
export function keyGeneration<P extends CurvePoint<bigint, P>>(
  suite: KeySuite<P>,
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
    conclude: (polynomial, echo) => generatedKey(suite, options, polynomial, echo),
  })
}
