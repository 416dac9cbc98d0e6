import { signOpening } from '../domain/ceremony/opening.ts'
import { encodeFields } from '../domain/fields.ts'
import type { Asked } from '../domain/ports/party-channel.ts'
import { type Ceremony, type CeremonyDependencies, requireType } from './ceremony.ts'
import type { OpenTogether } from './joint-opening.ts'
import type { NoncePool } from './nonce-pool.ts'
import { policyIn } from './share-record.ts'
import { findSigningShare } from './signing-share.ts'

export type PresigningDependencies = Pick<CeremonyDependencies, 'shares' | 'voice' | 'fence'> & {
  nonces: NoncePool
  openTogether: OpenTogether
}

/**
 * Opens one signature to come together with the other signers. Its last answer is this party's own opening, signed, as if it had opened by itself; what it has
 * opened waits in memory.
 * @throws Refusal, Unavailable
 */
export async function beginPresigning({ header, request }: Asked, dependencies: PresigningDependencies): Promise<Ceremony> {
  const { shares, voice, nonces, fence, openTogether } = dependencies
  const { share: reference, signers } = requireType(request, 'presign')
  const { scheme, ceremonyId, attempt } = header
  const { keyId, epoch, publicKey } = reference
  fence.assertLifted()
  const stored = await findSigningShare(shares, scheme, reference)
  const context = encodeFields('quorate presignature', scheme, ceremonyId, attempt, keyId, epoch, reference.attempt, ...signers)
  const conversation = await openTogether({ attempt: header, context, signers, stored })

  return {
    opening: conversation.opening,
    destroy: conversation.destroy,
    async next(request) {
      const said = await conversation.hear(requireType(request, 'proceed').heard)
      if (said.type === 'said') return { reply: said, done: false }
      const opened = said.result
      // Found again: of a key that is revoked meanwhile, or has come into another epoch, nothing is kept.
      const { record } = await findSigningShare(shares, scheme, reference).catch((error) => {
        opened.destroy()
        throw error
      })
      const { presignatures } = policyIn(record)
      const { broadcast } = opened
      const opening = { ...nonces.keep({ keyId, epoch, opened }, presignatures), keyId, epoch, broadcast }
      return {
        reply: { type: 'opened', openings: [await signOpening(voice.identity, { scheme, publicKey, keyId, epoch }, opening)] },
        done: true,
      }
    },
  }
}
