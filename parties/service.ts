import { randomBytes } from 'node:crypto'
import type { CeremonyKind, CeremonyReply } from '../domain/ceremony/messages.ts'
import { Refusal, refused } from '../domain/ceremony/refusal.ts'
import { Unavailable } from '../domain/ports/event-log.ts'
import type { Asked, PartyEndpoint } from '../domain/ports/party-channel.ts'
import type { Sealing } from '../domain/ports/sealing.ts'
import type { RandomBytes } from '../domain/threshold/protocol.ts'
import { requireType } from './ceremony.ts'
import { type CeremonyTableOptions, createCeremonyTable } from './ceremony-table.ts'
import { beginKeyGeneration } from './key-generation.ts'
import { createNoncePool, type NonceCounts } from './nonce-pool.ts'
import { abandon, open } from './opening.ts'
import type { ShareStore } from './share-store.ts'
import { sign } from './signing.ts'
import type { SigningGuards } from './signing-guards.ts'

export type PartyOptions = {
  partyId: string
  endpoint: PartyEndpoint
  shares: ShareStore
  sealing: Sealing
  guards: SigningGuards
  /** How long openings hold, in milliseconds. */
  presignatureTtlMs: number
  /** Told what went wrong that was nobody's request; requesters hear `internal`. */
  onFailure(error: unknown): void
  rng?: RandomBytes
  bounds?: Pick<CeremonyTableOptions, 'maxOpen' | 'maxRemembered' | 'expireAfterMs'>
}

export type Party = {
  readonly openCeremonies: number
  /** What has become of the nonces of a key since the party began. */
  nonceCounts(keyId: string): NonceCounts
  close(): Promise<void>
}

export const systemRandom: RandomBytes = (length) => new Uint8Array(randomBytes(length))

/** Serves a party. Every request that is a request gets an answer: a reply, or a coded refusal. */
export function serveParty(options: PartyOptions): Party {
  const { partyId, endpoint, shares, sealing, guards, presignatureTtlMs, onFailure, rng = systemRandom, bounds = {} } = options
  const nonces = createNoncePool({ ttlMs: presignatureTtlMs })
  const dependencies = { partyId, shares, sealing, nonces, guards, rng }
  const refusalOf = (error: unknown): Refusal => {
    if (error instanceof Refusal) return error
    onFailure(error)
    if (error instanceof Unavailable) return new Refusal('vault_unavailable', 'the vault does not answer')
    return new Refusal('internal', 'the party failed')
  }
  const keyGenerations = createCeremonyTable({ begin: (asked) => beginKeyGeneration(asked, dependencies), refusalOf, ...bounds })
  const signings = createCeremonyTable({ begin: (asked) => sign(asked, dependencies), refusalOf, ...bounds })

  /** What is done in one step. */
  const atOnce = (work: (asked: Asked) => CeremonyReply | Promise<CeremonyReply>) => async (asked: Asked) => {
    try {
      return await work(asked)
    } catch (error) {
      return refused(refusalOf(error))
    }
  }

  /** As often as asked. */
  const revoke = async ({ header, request }: Asked): Promise<CeremonyReply> => {
    const { keyId } = requireType(request, 'destroyShares')
    if (header.ceremonyId !== keyId) throw new Refusal('malformed', 'the ceremony is not that of the key')
    await shares.revoke(keyId)
    nonces.wipe(keyId)
    return { type: 'destroyed' }
  }

  const answers: { readonly [Kind in CeremonyKind]: (asked: Asked) => Promise<CeremonyReply> } = {
    'key-generation': keyGenerations.answer,
    signing: signings.answer,
    revocation: atOnce(revoke),
    opening: atOnce((asked) => (asked.request.type === 'abandon' ? abandon(asked, dependencies) : open(asked, dependencies))),
  }
  const stop = endpoint.serve(partyId, (asked) => answers[asked.header.kind](asked))

  return {
    get openCeremonies() {
      return keyGenerations.open + signings.open
    },
    nonceCounts: nonces.counts,
    async close() {
      await stop()
      keyGenerations.close()
      signings.close()
      nonces.close()
    },
  }
}
