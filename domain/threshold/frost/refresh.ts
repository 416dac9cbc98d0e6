import type { CurvePoint } from '@noble/curves/abstract/curve.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes } from '@noble/hashes/utils.js'
import { type KeyMaterial, type Participant, ProtocolAbort, type RefreshOptions } from '../protocol.ts'
import { decodePublicPackage, decodeShare } from '../shared-key/key-material.ts'
import { domain, type KeySuite } from '../shared-key/key-suite.ts'
import { refreshedKey } from '../shared-key/refreshed-key.ts'
import { jointSharing } from './joint-sharing.ts'

/**
 * Proactive refresh (Herzberg, Jarecki, Krawczyk and Yung, "Proactive Secret Sharing", section 3; the Zcash Foundation's refresh_dkg): all
 * holders add the values of a shared polynomial that is zero at zero to their shares. Public key and chain code stay; shares of before and
 * after do not go together. Whoever had got hold of fewer shares than the threshold before has nothing any more. Somebody who reads a party
 * during a refresh has its shares of both sides of it.
 */
export function refresh<P extends CurvePoint<bigint, P>>(
  suite: KeySuite<P>,
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
    conclude: (polynomial) => refreshedKey(suite, old, { self, share: Point.Fn.fromBytes(oldShare) }, polynomial),
    wipe: () => oldShare.fill(0),
  })
}
