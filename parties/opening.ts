import { setImmediate } from 'node:timers/promises'
import type { CeremonyReply } from '../domain/ceremony/messages.ts'
import { type Opening, openingBytes } from '../domain/ceremony/opening.ts'
import type { Asked } from '../domain/ports/party-channel.ts'
import type { RandomBytes } from '../domain/threshold/protocol.ts'
import { protocolOf } from '../domain/threshold/registry.ts'
import { requireType } from './ceremony.ts'
import type { NoncePool } from './nonce-pool.ts'
import type { ShareStore } from './share-store.ts'
import type { SigningGuards } from './signing-guards.ts'
import { findSigningShare, readShare } from './signing-share.ts'

export type OpeningDependencies = {
  partyId: string
  shares: ShareStore
  nonces: NoncePool
  guards: Pick<SigningGuards, 'policyOf' | 'signOpening'>
  rng: RandomBytes
}

/**
 * Draws nonces and hands out what commits to them. Other requests come in between: these may be for later, while somebody waits for those.
 * @throws Refusal, Unavailable
 */
export async function open({ header: { scheme }, request }: Asked, dependencies: OpeningDependencies): Promise<CeremonyReply> {
  const { partyId, shares, nonces, guards, rng } = dependencies
  const { share: reference, count } = requireType(request, 'open')
  const { keyId, epoch, publicKey } = reference
  const openings: Opening[] = []
  while (openings.length < count) {
    if (openings.length > 0) await setImmediate()
    // Found again each time: a key that is revoked meanwhile opens nothing more.
    const stored = await findSigningShare(shares, scheme, reference)
    const { publicPackage } = stored.record
    const { presignatures } = await guards.policyOf(stored)
    const signer = await readShare(() => shares.use(stored, (share) => protocolOf(scheme).signing({ key: { share, publicPackage }, rng })))
    const { broadcast } = signer.opening
    const opening = { ...nonces.keep({ keyId, epoch, signer }, presignatures), partyId, keyId, epoch, broadcast }
    openings.push({ ...opening, signature: await guards.signOpening(openingBytes({ scheme, publicKey, keyId, epoch }, opening)) })
  }
  return { type: 'opened', openings }
}

/** Forgets the nonces of openings that are of no use any more. */
export function abandon({ request }: Asked, { nonces }: Pick<OpeningDependencies, 'nonces'>): CeremonyReply {
  for (const id of requireType(request, 'abandon').openings) nonces.drop(id)
  return { type: 'abandoned' }
}
