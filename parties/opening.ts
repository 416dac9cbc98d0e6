import { setImmediate } from 'node:timers/promises'
import type { CeremonyReply } from '../domain/ceremony/messages.ts'
import { type Opening, signOpening } from '../domain/ceremony/opening.ts'
import { Refusal } from '../domain/ceremony/refusal.ts'
import type { Asked } from '../domain/ports/party-channel.ts'
import { protocolOf } from '../domain/threshold/registry.ts'
import { type CeremonyDependencies, participate, requireType } from './ceremony.ts'
import type { NoncePool } from './nonce-pool.ts'
import { policyIn } from './share-record.ts'
import { findSigningShare } from './signing-share.ts'

export type OpeningDependencies = Pick<CeremonyDependencies, 'shares' | 'voice' | 'fence' | 'rng'> & { nonces: NoncePool }

/**
 * Draws nonces and hands out what commits to them. Other requests come in between: these may be for later, while somebody waits for those.
 * @throws Refusal, Unavailable
 */
export async function open({ header: { scheme }, request }: Asked, dependencies: OpeningDependencies): Promise<CeremonyReply> {
  const { shares, voice, nonces, fence, rng } = dependencies
  fence.assertLifted()
  const { share: reference, count } = requireType(request, 'open')
  const { keyId, epoch, publicKey } = reference
  const { signing } = protocolOf(scheme)
  if (signing.openedBy !== 'each') throw new Refusal('malformed', 'the signers of this scheme open together')
  const openings: Opening[] = []
  while (openings.length < count) {
    if (openings.length > 0) await setImmediate()
    // Found again each time: a key that is revoked meanwhile opens nothing more.
    const stored = await findSigningShare(shares, scheme, reference)
    const { publicPackage } = stored.record
    const opened = await participate(() => shares.use(stored, (share) => signing.open({ key: { share, publicPackage }, rng })))
    const { broadcast } = opened
    // The share has opened, so this is the policy that is sealed with it.
    const { presignatures } = policyIn(stored.record)
    const opening = { ...nonces.keep({ keyId, epoch, opened }, presignatures), keyId, epoch, broadcast }
    openings.push(await signOpening(voice.identity, { scheme, publicKey, keyId, epoch }, opening))
  }
  return { type: 'opened', openings }
}

/** Forgets the nonces of openings that are of no use any more. */
export function abandon({ request }: Asked, { nonces }: Pick<OpeningDependencies, 'nonces'>): CeremonyReply {
  for (const id of requireType(request, 'abandon').openings) nonces.drop(id)
  return { type: 'abandoned' }
}
