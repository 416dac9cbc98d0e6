import type { CeremonyAttempt } from '../domain/ceremony/messages.ts'
import { Refusal } from '../domain/ceremony/refusal.ts'
import { type Opened, type Participant, ProtocolAbort } from '../domain/threshold/protocol.ts'
import { protocolOf } from '../domain/threshold/registry.ts'
import { type BanDependencies, banCounterparty, requireNoneBanned } from './banned-counterparties.ts'
import { type CeremonyDependencies, participate } from './ceremony.ts'
import { type Conversation, converse } from './conversation.ts'
import type { NoncePool } from './nonce-pool.ts'
import type { StoredShare } from './share-record.ts'

/** `context` is what all signers must have been told alike, and names this opening and no other. */
export type JointOpening = {
  readonly attempt: CeremonyAttempt
  readonly context: Uint8Array
  readonly signers: readonly string[]
  readonly stored: StoredShare
}

/** Takes part in an opening by all signers. @throws Refusal `malformed`, `counterparty_banned`, `setup_missing`, `share_unreadable`, Unavailable */
export type OpenTogether = (opening: JointOpening) => Promise<Conversation<Opened>>

export type JointOpeningDependencies = Pick<CeremonyDependencies, 'partyId' | 'shares' | 'voice' | 'rng'> &
  Pick<BanDependencies, 'onFailure'> & { nonces: NoncePool }

/** What has gone wrong with a counterparty. */
type Breach = { readonly refusal: Refusal; readonly banning: Promise<unknown> }

/**
 * The openings that a party takes part in. A multiplication that does not check may have told the counterparty something of what the two hold in common, and each
 * further try would tell it more. So the first one has the counterparty banned, before anything is answered, ends all other openings of the key, and wipes
 * those that are done and wait.
 */
export function jointOpenings(dependencies: JointOpeningDependencies): OpenTogether {
  const { partyId, shares, voice, nonces, rng } = dependencies
  const underWay = new Map<string, Set<(breach: Breach) => void>>()

  function enter(keyId: string, end: (breach: Breach) => void): () => void {
    const ofKey = underWay.get(keyId) ?? new Set()
    underWay.set(keyId, ofKey.add(end))
    return () => {
      if (ofKey.delete(end) && ofKey.size === 0) underWay.delete(keyId)
    }
  }

  function breachOf({ record }: StoredShare, { culprits }: ProtocolAbort): Breach {
    const ids = culprits.map((number) => record.parties[number - 1]!)
    nonces.wipe(record.keyId)
    return {
      refusal: new Refusal('counterparty_banned', `a multiplication with ${ids.join(', ')} does not check`, ids),
      banning: Promise.all(ids.map((id) => banCounterparty(dependencies, record, id))),
    }
  }

  return async ({ attempt, context, signers, stored }) => {
    const { keyId, parties, publicPackage, scheme } = stored.record
    const { signing } = protocolOf(scheme)
    if (signing.openedBy !== 'all') throw new Refusal('malformed', 'each signer of this scheme opens by itself')
    const participants = signers.map((id) => ({ id, number: parties.indexOf(id) + 1 }))
    if (participants.some(({ number }) => number === 0)) throw new Refusal('not_a_holder', 'somebody is to sign who holds no share')
    if (!signers.includes(partyId)) throw new Refusal('malformed', 'this party is not among the signers')

    let breach: Breach | undefined
    const leave = enter(keyId, (found) => {
      breach = found
    })
    const begin = async () => {
      await requireNoneBanned(dependencies, stored.record, signers)
      const numbers = participants.map(({ number }) => number)
      const participant = await participate(
        () => shares.use(stored, (share) => signing.open({ key: { share, publicPackage }, signers: numbers, context, rng })),
        parties,
      )
      return converse({ attempt, context, participants, participant: watched(participant), voice })
    }
    /** One step after another, without a pause in between, so that no other opening comes to its next before it hears of it. */
    const watched = (participant: Participant<Opened>): Participant<Opened> => ({
      ...participant,
      next(incoming) {
        if (breach) throw breach.refusal
        try {
          return participant.next(incoming)
        } catch (error) {
          if (error instanceof ProtocolAbort && error.code === 'invalid_multiplication') {
            const found = breachOf(stored, error)
            for (const end of underWay.get(keyId) ?? []) end(found)
          }
          throw error
        }
      },
      destroy() {
        leave()
        participant.destroy()
      },
    })

    let conversation: Conversation<Opened>
    try {
      conversation = await begin()
    } catch (error) {
      leave()
      throw error
    }
    return {
      ...conversation,
      async hear(heard) {
        try {
          return await conversation.hear(heard)
        } finally {
          await breach?.banning
        }
      },
    }
  }
}
