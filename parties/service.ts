import { randomBytes } from 'node:crypto'
import type { CeremonyKind, CeremonyReply } from '../domain/ceremony/messages.ts'
import { Refusal, refused } from '../domain/ceremony/refusal.ts'
import { Unavailable } from '../domain/ports/event-log.ts'
import type { Asked, PartyEndpoint } from '../domain/ports/party-channel.ts'
import { ClaimRefused, type SigningLedger } from '../domain/ports/signing-ledger.ts'
import type { RandomBytes } from '../domain/threshold/protocol.ts'
import { type BeginCeremony, requireType } from './ceremony.ts'
import { type CeremonyTableOptions, createCeremonyTable } from './ceremony-table.ts'
import type { Voice } from './conversation.ts'
import type { Fence } from './fence.ts'
import { beginKeyGeneration } from './key-generation.ts'
import type { ShareStore } from './share-store.ts'
import { beginSigning } from './signing.ts'

export type PartyOptions = {
  partyId: string
  endpoint: PartyEndpoint
  shares: ShareStore
  voice: Voice
  ledger: SigningLedger
  fence: Pick<Fence, 'assertLifted'>
  /** Told what went wrong that was nobody's request; requesters hear `internal`. */
  onFailure(error: unknown): void
  rng?: RandomBytes
  bounds?: Pick<CeremonyTableOptions, 'maxOpen' | 'maxRemembered' | 'expireAfterMs'>
}

export type Party = { readonly openCeremonies: number; close(): Promise<void> }

export const systemRandom: RandomBytes = (length) => new Uint8Array(randomBytes(length))

/** Serves a party. Every request that is a request gets an answer: a reply, or a coded refusal. */
export function serveParty(options: PartyOptions): Party {
  const { partyId, endpoint, shares, voice, ledger, fence, onFailure, rng = systemRandom, bounds = {} } = options
  const dependencies = { partyId, shares, voice, rng, ledger, fence }
  const refusalOf = (error: unknown): Refusal => {
    if (error instanceof Refusal) return error
    onFailure(error)
    if (error instanceof ClaimRefused) return new Refusal('signed_already', `${error.code}: ${error.message}`)
    if (error instanceof Unavailable) return new Refusal('vault_unavailable', error.message)
    return new Refusal('internal', 'the party failed')
  }
  const ceremoniesOf = (begin: BeginCeremony) => createCeremonyTable({ begin: (asked) => begin(asked, dependencies), refusalOf, ...bounds })
  const keyGenerations = ceremoniesOf(beginKeyGeneration)
  const signings = ceremoniesOf(beginSigning)

  /** Done in one step, and as often as asked. */
  const revoke = async ({ header, request }: Asked): Promise<CeremonyReply> => {
    try {
      const { keyId } = requireType(request, 'destroyShares')
      if (header.ceremonyId !== keyId) throw new Refusal('malformed', 'the ceremony is not that of the key')
      await shares.revoke(keyId)
      return { type: 'destroyed' }
    } catch (error) {
      return refused(refusalOf(error))
    }
  }

  const answers: { readonly [Kind in CeremonyKind]: (asked: Asked) => Promise<CeremonyReply> } = {
    'key-generation': keyGenerations.answer,
    signing: signings.answer,
    revocation: revoke,
  }
  const stop = endpoint.serve(partyId, (asked) => answers[asked.header.kind](asked))

  return {
    get openCeremonies() {
      return keyGenerations.open + signings.open
    },
    async close() {
      await stop()
      keyGenerations.close()
      signings.close()
    },
  }
}
