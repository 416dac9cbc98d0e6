import { concatBytes } from '@noble/hashes/utils.js'
import type { CeremonyReply } from '../domain/ceremony/messages.ts'
import { isGenuine, type Opening, signingTranscript, TRANSCRIPT_BYTES } from '../domain/ceremony/opening.ts'
import { Refusal } from '../domain/ceremony/refusal.ts'
import type { Asked } from '../domain/ports/party-channel.ts'
import { parsePath } from '../domain/threshold/derivation-path.ts'
import type { Opened } from '../domain/threshold/protocol.ts'
import { equalBytes } from '../domain/threshold/rounds.ts'
import { authoriseSignature } from './authorisation.ts'
import { type CeremonyDependencies, type Concluded, participate, requireType } from './ceremony.ts'
import type { HeldNonces, NoncePool } from './nonce-pool.ts'
import { policyIn, type StoredShare } from './share-record.ts'
import type { ShareStore } from './share-store.ts'
import { answeredBefore, answeredDigest, signedDigest } from './sign-once.ts'
import { findSigningShare, requireStillAllowed } from './signing-share.ts'

export type SigningDependencies = Pick<CeremonyDependencies, 'partyId' | 'shares' | 'voice' | 'ledger' | 'fence' | 'verify' | 'now'> & {
  nonces: NoncePool
}

/** What the client has asked for: the message as the scheme signs it, and with which key under the share's. */
type Allowed = { message: Uint8Array; path: string }

/**
 * Contributes to one signature, in one step. The request is believed in nothing: what is signed is what the client has authorised, with openings that their
 * parties have signed. The nonces leave the pool before anything is made of them, and the ledger has it on disk before anything is answered: a party that dies
 * in between has lost the nonces, and used them for nothing.
 * @throws Refusal, Unavailable
 */
export async function sign({ header, request, digest }: Asked, dependencies: SigningDependencies): Promise<Concluded> {
  const { shares, nonces, ledger, fence, verify } = dependencies
  const { share: reference, path, openings, authorisation, approvals } = requireType(request, 'sign').task
  const { scheme, ceremonyId: sessionId, attempt } = header
  const { keyId } = reference
  fence.assertLifted()
  const stored = await findSigningShare(shares, scheme, reference)
  const claim = { keyId, sessionId, attempt, requestDigest: answeredDigest(digest, stored.record.policy) }
  const earlier = answeredBefore(ledger, claim)
  if (earlier) return { concluded: contributed(earlier) }

  const now = dependencies.now()
  // The policy is believed because the share, which is opened below, opens with no other.
  const policy = policyIn(stored.record)
  const { intents, ...allowed } = authoriseSignature({ authorisation, approvals, sessionId, keyId, scheme, policy, verify, now })
  if (allowed.path !== path) throw new Refusal('request_mismatch', 'the client has asked for a signature by another key')
  const own = checkOpenings(openings, stored, dependencies, now)

  const held = nonces.take(own.id)
  if (!held) throw new Refusal('opening_unknown', 'the nonces of the opening are used, or gone')
  try {
    requireAsGiven(own, held, keyId)
    const contribution = await contribute(held.opened, { shares, stored, openings, allowed })
    const answer = concatBytes(signingTranscript(openings, allowed), contribution)
    await ledger.claim({ ...claim, digest: signedDigest(allowed.message, path), slots: [], intents, answer })
    await requireStillAllowed(shares, stored)
    return { concluded: contributed(answer) }
  } finally {
    held.opened.destroy()
  }
}

/** What is answered, as the ledger keeps it: the transcript, and the contribution. */
function contributed(answer: Uint8Array): CeremonyReply {
  return { type: 'contributed', contribution: answer.slice(TRANSCRIPT_BYTES), transcript: answer.slice(0, TRANSCRIPT_BYTES) }
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

type Contribution = { shares: ShareStore; stored: StoredShare; openings: readonly Opening[]; allowed: Allowed }

async function contribute(opened: Opened, { shares, stored, openings, allowed }: Contribution): Promise<Uint8Array> {
  const { parties, publicPackage } = stored.record
  const { message, path } = allowed
  const broadcasts = new Map(openings.map(({ partyId, broadcast }) => [parties.indexOf(partyId) + 1, broadcast]))
  const task = { path: parsePath(path), signers: [...broadcasts.keys()], message }
  return participate(
    () => shares.use(stored, (share) => opened.contribute({ ...task, key: { share, publicPackage } }, broadcasts)),
    parties,
  )
}
