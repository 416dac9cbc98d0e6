import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes } from '@noble/hashes/utils.js'
import { encodeFields } from '../domain/ceremony/fields.ts'
import type { CeremonyReply } from '../domain/ceremony/messages.ts'
import { isGenuine, type Opening, signingTranscript, TRANSCRIPT_BYTES } from '../domain/ceremony/opening.ts'
import { Refusal } from '../domain/ceremony/refusal.ts'
import type { Asked } from '../domain/ports/party-channel.ts'
import { ClaimRefused, type SigningClaim, type SigningLedger } from '../domain/ports/signing-ledger.ts'
import { ProtocolAbort, type Signer } from '../domain/threshold/protocol.ts'
import { equalBytes } from '../domain/threshold/rounds.ts'
import { type Concluded, requireType } from './ceremony.ts'
import type { HeldNonces, NoncePool } from './nonce-pool.ts'
import type { StoredShare } from './share-record.ts'
import type { ShareStore } from './share-store.ts'
import type { AllowedSignature, SigningGuards } from './signing-guards.ts'
import { findSigningShare, readShare } from './signing-share.ts'

export type SigningDependencies = {
  partyId: string
  shares: ShareStore
  nonces: NoncePool
  guards: SigningGuards
}

/**
 * Contributes to one signature, in one step. The request is believed in nothing: what is signed is what the client has authorised, with openings that their
 * parties have signed. The nonces leave the pool before anything is made of them, and the ledger has it on disk before anything is answered: a party that dies
 * in between has lost the nonces, and used them for nothing.
 * @throws Refusal, Unavailable
 */
export async function sign({ header, request, digest }: Asked, dependencies: SigningDependencies): Promise<Concluded> {
  const { partyId, shares, nonces, guards } = dependencies
  const { share: reference, path, openings, authorisation, approvals } = requireType(request, 'sign').task
  const { scheme, ceremonyId: sessionId, attempt } = header
  const { keyId } = reference
  guards.assertUnfenced()
  const stored = await findSigningShare(shares, scheme, reference)

  const answered = guards.ledger.answered(keyId, sessionId, attempt)
  if (answered) {
    if (!equalBytes(answered.requestDigest, digest))
      throw new Refusal('conflicting_request', 'this attempt has been answered in other words')
    return { concluded: contributed(answered.answer) }
  }

  const now = Date.now()
  const policy = await guards.policyOf(stored)
  const allowed = await guards.authorise({ authorisation, approvals, sessionId, keyId, scheme, policy, now })
  if (allowed.path !== path) throw new Refusal('malformed', 'the path is not the one that was authorised')
  const own = checkOpenings(openings, stored, { partyId, verify: guards.verifyOpening, now })

  const held = nonces.take(own.id)
  if (!held) throw new Refusal('opening_unknown', 'the nonces of the opening are used, or gone')
  try {
    requireAsGiven(own, held, keyId)
    const contribution = await contribute(held.signer, { shares, stored, openings, allowed })
    const answer = concatBytes(signingTranscript(openings, allowed), contribution)
    const { publicKey } = stored.record
    await claim(guards.ledger, {
      keyId,
      sessionId,
      attempt,
      requestDigest: digest,
      digest: sha256(encodeFields('quorate signature', scheme, publicKey, allowed.path, allowed.message)),
      slots: [],
      intents: allowed.intents,
      answer,
    })
    return { concluded: contributed(answer) }
  } finally {
    held.signer.destroy()
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
  { partyId, verify, now }: { partyId: string; verify: SigningGuards['verifyOpening']; now: number },
): Opening {
  if (new Set(openings.map((opening) => opening.partyId)).size !== openings.length) throw new Refusal('malformed', 'somebody opens twice')
  const stranger = openings.find((opening) => !record.parties.includes(opening.partyId))
  if (stranger) throw new Refusal('opening_invalid', `${stranger.partyId} has no share of the key`)
  const own = openings.find((opening) => opening.partyId === partyId)
  if (!own) throw new Refusal('malformed', 'this party is not among the signers')
  // What this party has said itself is compared with what it remembers.
  const forged = openings.find((opening) => opening !== own && !isGenuine(opening, record, verify, now))
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
    equalBytes(own.broadcast, held.signer.opening.broadcast)
  if (!isIt) throw new Refusal('opening_invalid', "this party's own opening is of another key, or has been altered on the way")
}

type Contribution = { shares: ShareStore; stored: StoredShare; openings: readonly Opening[]; allowed: AllowedSignature }

async function contribute(signer: Signer, { shares, stored, openings, allowed }: Contribution): Promise<Uint8Array> {
  const { parties, publicPackage } = stored.record
  const { message } = allowed
  const broadcasts = new Map(openings.map(({ partyId, broadcast }) => [parties.indexOf(partyId) + 1, broadcast]))
  await readShare(() =>
    shares.use(stored, (share) => signer.assign({ key: { share, publicPackage }, signers: [...broadcasts.keys()], message })),
  )
  try {
    const step = signer.next({ broadcasts, secrets: new Map() })
    if (step.kind === 'message') throw new Error('the scheme signs in more rounds than are served')
    return step.result
  } catch (error) {
    if (!(error instanceof ProtocolAbort)) throw error
    const culprits = error.culprits.map((party) => parties[party - 1]!)
    throw new Refusal('protocol_abort', `${error.code}: ${error.message}`, culprits)
  }
}

async function claim(ledger: Pick<SigningLedger, 'claim'>, signature: SigningClaim): Promise<void> {
  try {
    await ledger.claim(signature)
  } catch (error) {
    throw error instanceof ClaimRefused ? new Refusal(error.code, error.message) : error
  }
}
