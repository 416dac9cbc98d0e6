import { concatBytes } from '@noble/hashes/utils.js'
import type { CeremonyReply } from '../domain/ceremony/messages.ts'
import { isGenuine, type Opening, signingTranscript, TRANSCRIPT_BYTES } from '../domain/ceremony/opening.ts'
import { Refusal } from '../domain/ceremony/refusal.ts'
import type { Asked } from '../domain/ports/party-channel.ts'
import { equalBytes } from '../domain/threshold/rounds.ts'
import { type AllowanceDependencies, allowSignature } from './allowed-signature.ts'
import { type BanDependencies, requireNoneBanned } from './banned-counterparties.ts'
import { type CeremonyDependencies, type Concluded, requireType } from './ceremony.ts'
import { contribute } from './contribution.ts'
import type { HeldNonces, NoncePool } from './nonce-pool.ts'
import type { StoredShare } from './share-record.ts'

export type SigningDependencies = AllowanceDependencies &
  Pick<CeremonyDependencies, 'partyId' | 'shares' | 'voice'> &
  Pick<BanDependencies, 'onFailure'> & { nonces: NoncePool }

/**
 * Contributes to one signature, in one step, with openings that their parties have signed. The nonces leave the pool before anything is made of them, and the
 * ledger has it on disk before anything is answered: a party that dies in between has lost the nonces, and used them for nothing.
 * @throws Refusal, Unavailable
 */
export async function sign(asked: Asked, dependencies: SigningDependencies): Promise<Concluded> {
  const { shares, nonces } = dependencies
  const { task } = requireType(asked.request, 'sign')
  const signers = task.openings.map(({ partyId }) => partyId)
  const allowed = await allowSignature(asked, { ...task, signers }, dependencies)
  if ('answered' in allowed) return { concluded: contributed(allowed.answered) }
  const { stored, message, path, now } = allowed
  const { openings } = task
  const own = checkOpenings(openings, stored, dependencies, now)
  await requireNoneBanned(dependencies, stored.record, signers)

  const held = nonces.take(own.id)
  if (!held) throw new Refusal('opening_unknown', 'the nonces of the opening are used, or gone')
  try {
    requireAsGiven(own, held, stored.record.keyId)
    const broadcasts = new Map(openings.map(({ partyId, broadcast }) => [partyId, broadcast]))
    const contribution = await contribute(held.opened, broadcasts, { shares, stored, message, path })
    const answer = concatBytes(signingTranscript(openings, { path, message }), contribution)
    await allowed.record(answer)
    return { concluded: contributed(answer) }
  } finally {
    held.opened.destroy()
  }
}

/** What is answered, as the ledger keeps it: the transcript, and the contribution. */
function contributed(answer: Uint8Array): CeremonyReply {
  return {
    type: 'contributed',
    contribution: answer.slice(TRANSCRIPT_BYTES),
    transcript: answer.slice(0, TRANSCRIPT_BYTES),
    broadcast: null,
  }
}

/** This party's own opening, when each is of a holder of the share, of another one each, and what that party has said. @throws Refusal */
function checkOpenings(
  openings: readonly Opening[],
  { record }: StoredShare,
  { partyId, voice }: Pick<SigningDependencies, 'partyId' | 'voice'>,
  now: number,
): Opening {
  if (new Set(openings.map((opening) => opening.partyId)).size !== openings.length) throw new Refusal('malformed', 'somebody opens twice')
  const stranger = openings.find((opening) => !record.parties.includes(opening.partyId))
  if (stranger) throw new Refusal('opening_invalid', `${stranger.partyId} has no share of the key`)
  const own = openings.find((opening) => opening.partyId === partyId)
  if (!own) throw new Refusal('malformed', 'this party is not among the signers')
  // What this party has said itself is compared with what it remembers.
  const forged = openings.find((opening) => opening !== own && !isGenuine(opening, record, voice, now))
  if (forged)
    throw new Refusal('opening_invalid', `the opening of ${forged.partyId} is not one of this key that it has signed and that holds`)
  return own
}

/** @throws Refusal unless the opening is the one that these nonces were handed out with, for this key */
function requireAsGiven(own: Opening, held: HeldNonces, keyId: string): void {
  const isIt =
    held.keyId === keyId &&
    own.keyId === held.keyId &&
    own.epoch === held.epoch &&
    own.expiresAt === held.expiresAt &&
    equalBytes(own.broadcast, held.opened.broadcast)
  if (!isIt) throw new Refusal('opening_invalid', "this party's own opening is of another key, or has been altered on the way")
}
