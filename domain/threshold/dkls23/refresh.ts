import { type KeyMaterial, type Participant, ProtocolAbort, type RefreshOptions } from '../protocol.ts'
import { decodePublicPackage } from '../shared-key/key-material.ts'
import { refreshedKey } from '../shared-key/refreshed-key.ts'
import { ask } from './hashing.ts'
import { jointSharing } from './joint-sharing.ts'
import { decodeShare } from './key-material.ts'
import { suite } from './suite.ts'

/**
 * All holders add the values of a shared polynomial that is zero at zero to their shares (Herzberg, Jarecki, Krawczyk and Yung, "Proactive Secret
 * Sharing", section 3), and set up anew what they multiply with, whether there was a set-up before or not. Key and chain code stay.
 */
export function refresh({ key, context, rng }: RefreshOptions): Participant<KeyMaterial> {
  const { self, scalar, packageDigest } = decodeShare(key)
  const old = decodePublicPackage(suite, key.publicPackage)
  if (context.length === 0) throw new ProtocolAbort('invalid_parameters', 'a refresh needs a context')
  const oldShare = new Uint8Array(scalar)
  return jointSharing({
    constantTerm: 'zero',
    self,
    threshold: old.threshold,
    parties: old.parties,
    sid: ask('refresh/session', 32, packageDigest, context),
    rng,
    conclude: (polynomial) => refreshedKey(suite, old, { self, share: suite.Point.Fn.fromBytes(oldShare) }, polynomial),
    wipe: () => oldShare.fill(0),
  })
}
