import type { JointSigningRequest } from '../domain/ceremony/messages.ts'
import { Refusal } from '../domain/ceremony/refusal.ts'
import type { Asked } from '../domain/ports/party-channel.ts'
import type { Allowed, Spending } from './allowance.ts'
import { allowTransaction } from './allowed-transaction.ts'
import { authoriseSignature } from './authorisation.ts'
import type { CeremonyDependencies } from './ceremony.ts'
import { policyIn, type StoredShare } from './share-record.ts'
import { answeredBefore, answeredDigest, signedDigest } from './sign-once.ts'
import { findSigningShare, requireStillAllowed } from './signing-share.ts'

export type AllowanceDependencies = Pick<CeremonyDependencies, 'shares' | 'ledger' | 'fence' | 'verify' | 'chains' | 'prices' | 'now'>

/** A signature that this party may contribute to. */
export type AllowedSignature = Allowed & {
  readonly stored: StoredShare
  /** When it was allowed, in milliseconds since the epoch. */
  readonly now: number
  /** Puts down in the ledger what is answered, before it is. @throws Refusal, ClaimRefused, Unavailable */
  record(answer: Uint8Array): Promise<void>
}

/**
 * Whether this party may contribute. The request is believed in nothing: what is signed is what the client has authorised. What was answered to the same request
 * before, as the ledger has it, is to be answered again.
 * @throws Refusal, ClaimRefused, Unavailable
 */
export async function allowSignature(
  { header, digest }: Pick<Asked, 'header' | 'digest'>,
  { share: reference, path, authorisation, approvals, signers, transaction }: JointSigningRequest,
  { shares, ledger, fence, verify, chains, prices, now: clock }: AllowanceDependencies,
): Promise<AllowedSignature | { answered: Uint8Array }> {
  const { scheme, ceremonyId: sessionId, attempt } = header
  const { keyId } = reference
  fence.assertLifted()
  const stored = await findSigningShare(shares, scheme, reference)
  const claim = { keyId, sessionId, attempt, requestDigest: answeredDigest(digest, stored.record.policy) }
  const answered = answeredBefore(ledger, claim)
  if (answered) return { answered }

  const now = clock()
  // The policy is believed because the share, which is opened to sign, opens with no other.
  const rules = { policy: policyIn(stored.record), verify, now }
  const asked = { authorisation, approvals, sessionId, keyId, scheme }
  const { intents, ...allowed }: Allowed & Partial<Spending> & Pick<Spending, 'intents'> = transaction
    ? await allowTransaction({ ...asked, ...rules, transaction, path, signers, record: stored.record }, { chains, prices, ledger })
    : authoriseSignature({ ...asked, ...rules })
  if (allowed.path !== path) throw new Refusal('request_mismatch', 'the client has asked for a signature by another key')
  const { message, slots = [], transaction: spent = null, limits } = allowed
  return {
    message,
    path,
    stored,
    now,
    async record(answer) {
      await ledger.claim({ ...claim, digest: signedDigest(message, path), slots, transaction: spent, intents, answer }, limits)
      await requireStillAllowed(shares, stored)
    },
  }
}
