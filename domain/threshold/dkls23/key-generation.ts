import { type KeyGenerationOptions, type KeyMaterial, type Participant, ProtocolAbort } from '../protocol.ts'
import { generatedKey } from '../shared-key/generated-key.ts'
import { isThreshold } from '../shared-key/key-material.ts'
import { ask } from './hashing.ts'
import { jointSharing } from './joint-sharing.ts'
import { suite } from './suite.ts'

/** Key generation of the paper (section 7), with all that signing needs between every two participants. At least two sign. */
export function keyGeneration(options: KeyGenerationOptions): Participant<KeyMaterial> {
  const { self, threshold, parties, context, rng } = options
  if (!isThreshold(options) || threshold < 2 || !Number.isInteger(self) || self < 1 || self > parties || context.length === 0)
    throw new ProtocolAbort('invalid_parameters', 'no such threshold, participant or context')
  return jointSharing({
    constantTerm: 'random',
    self,
    threshold,
    parties,
    sid: ask('key-generation/session', 32, threshold, parties, context),
    rng,
    conclude: (polynomial, echo) => generatedKey(suite, options, polynomial, echo),
  })
}
