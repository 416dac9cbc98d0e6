import { hexToBytes } from '@noble/hashes/utils.js'
import type { CeremonyAttempt, ShareReference } from '../../domain/ceremony/messages.ts'
import { isGenuine, type Opening } from '../../domain/ceremony/opening.ts'
import type { Witness } from '../../domain/ceremony/sayings.ts'
import type { PartyChannel } from '../../domain/ports/party-channel.ts'
import type { Scheme } from '../../domain/threshold/scheme.ts'
import { askParty, invalidReply, type PartyFailure } from './rounds.ts'

/** A key that signs, as far as openings are concerned. */
export type OpenableKey = { keyId: string; scheme: Scheme; epoch: number; attempt: number; publicKey: string }

export type OpeningRequests = { channel: PartyChannel; witness: Witness }

const RELEASE_WITHIN_MS = 1_000
const MAX_RELEASING = 64

/** Which share of the key is meant. */
export function shareOf({ keyId, epoch, attempt, publicKey }: OpenableKey): ShareReference {
  return { keyId, epoch, attempt, publicKey: hexToBytes(publicKey) }
}

/** Has a party open so many times; what it answers is checked to be its own word for this key. @throws Unavailable */
export async function requestOpenings(
  { channel, witness }: OpeningRequests,
  key: OpenableKey,
  { to, count, timeoutMs, signal }: { to: string; count: number; timeoutMs: number; signal?: AbortSignal },
): Promise<{ openings: readonly Opening[] } | { failure: PartyFailure }> {
  const share = shareOf(key)
  const question = { to, round: 1, request: { type: 'open' as const, share, count }, timeoutMs, ...(signal ? { signal } : {}) }
  const outcome = await askParty(channel, ceremonyOf(key), question)
  if ('failure' in outcome) return outcome
  const { answer } = outcome
  const now = Date.now()
  const isWhole =
    answer.type === 'opened' &&
    answer.openings.length === count &&
    answer.openings.every((opening) => opening.partyId === to && isGenuine(opening, { ...share, scheme: key.scheme }, witness, now))
  return isWhole ? { openings: answer.openings } : { failure: invalidReply(to) }
}

export type ReleaseOpenings = (key: OpenableKey, openings: Iterable<Opening>) => void

/** Tells parties to forget openings of which nothing will come. Nobody waits for it: what it does not reach expires. */
export function releaseOpenings(channel: PartyChannel): ReleaseOpenings {
  let releasing = 0
  return (key, openings) => {
    for (const { partyId: to, id } of openings) {
      if (releasing >= MAX_RELEASING) return
      releasing++
      askParty(channel, ceremonyOf(key), { to, round: 1, request: { type: 'abandon', openings: [id] }, timeoutMs: RELEASE_WITHIN_MS })
        .catch(() => {})
        .finally(() => releasing--)
    }
  }
}

function ceremonyOf({ scheme, keyId }: OpenableKey): CeremonyAttempt {
  return { scheme, kind: 'opening', ceremonyId: keyId, attempt: 1 }
}
