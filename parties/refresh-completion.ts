import type { CeremonyReply, Confirmation } from '../domain/ceremony/messages.ts'
import { Refusal } from '../domain/ceremony/refusal.ts'
import { hasSaid, signSaying } from '../domain/ceremony/sayings.ts'
import type { Asked } from '../domain/ports/party-channel.ts'
import type { CeremonyDependencies } from './ceremony.ts'
import type { NoncePool } from './nonce-pool.ts'
import type { ShareRecord } from './share-record.ts'

type CompletionDependencies = Pick<CeremonyDependencies, 'shares' | 'voice'> & { nonces: Pick<NoncePool, 'wipe'> }

/**
 * What becomes of the shares that a refresh has made. Each step may be asked for as often as it takes, in whatever order:
 *
 * - discard: the attempt has come to nothing, and a share that is not confirmed goes;
 * - confirm: the party says, and signs, that it keeps its share until a later epoch is in force;
 * - complete: with the word of every holder, the shares of earlier epochs go.
 *
 * So nobody who carries messages can have old shares destroyed anywhere before the new ones are safe everywhere: a share is discarded or
 * confirmed, never both, and a party takes no one's word for another's.
 * @throws Refusal
 */
export async function answerRefreshCompletion({ header, request }: Asked, dependencies: CompletionDependencies): Promise<CeremonyReply> {
  const { shares, voice, nonces } = dependencies
  if (request.type !== 'discardRefresh' && request.type !== 'confirmRefresh' && request.type !== 'completeRefresh')
    throw new Refusal('malformed', 'not a step of the completion of a refresh')
  const { share } = request
  if (header.ceremonyId !== share.keyId || header.attempt !== share.attempt)
    throw new Refusal('malformed', 'the ceremony is not that of the share')
  switch (request.type) {
    case 'discardRefresh':
      await shares.discard(share)
      return { type: 'destroyed' }
    case 'confirmRefresh': {
      const { record } = await shares.confirm(share)
      return { type: 'confirmed', signature: await signSaying(voice.identity, ...confirmationOf(record)) }
    }
    case 'completeRefresh': {
      const { record } = await shares.find(share)
      requireEveryHolder(record, request.confirmations, dependencies)
      await shares.supersede(share.keyId, share.epoch)
      nonces.wipe(share.keyId, share.epoch)
      return { type: 'completed' }
    }
  }
}

const confirmationOf = ({ scheme, keyId, epoch, attempt, publicPackage }: ShareRecord) =>
  ['refresh confirmed', scheme, keyId, epoch, attempt, publicPackage] as const

function requireEveryHolder(record: ShareRecord, confirmations: readonly Confirmation[], { voice }: CompletionDependencies): void {
  const has = (partyId: string) =>
    confirmations.some(({ from, signature }) => from === partyId && hasSaid(voice, from, signature, ...confirmationOf(record)))
  const missing = record.parties.filter((partyId) => !has(partyId))
  if (missing.length > 0) throw new Refusal('refresh_unconfirmed', `without the word of ${missing.join(', ')} old shares are kept`)
}
