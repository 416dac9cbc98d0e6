import { sha256 } from '@noble/hashes/sha2.js'
import { policyDigest } from '../domain/authorisation/key-policy.ts'
import { Refusal } from '../domain/ceremony/refusal.ts'
import { encodeFields } from '../domain/fields.ts'
import type { SigningClaim, SigningLedger } from '../domain/ports/signing-ledger.ts'
import { equalBytes } from '../domain/threshold/rounds.ts'

/** What is signed, for the ledger: the message as it is given to the scheme, and which of the key's addresses signs. */
export const signedDigest = (message: Uint8Array, path: string): Uint8Array => sha256(encodeFields('quorate signed', message, path))

/** What is answered, for the ledger: a request (its digest), as the policy that is sealed with the share allowed it. Under another one it is to be judged anew. */
export const answeredDigest = (request: Uint8Array, policy: Uint8Array): Uint8Array =>
  sha256(encodeFields('quorate answered', request, policyDigest(policy)))

/**
 * What was answered to the same request before, if anything was, also before a restart. It is to be given again; the nonces behind it are gone.
 * @throws Refusal `signed_already` when another request was answered in this attempt
 */
export function answeredBefore(
  ledger: Pick<SigningLedger, 'answered'>,
  { keyId, sessionId, attempt, requestDigest }: Pick<SigningClaim, 'keyId' | 'sessionId' | 'attempt' | 'requestDigest'>,
): Uint8Array | undefined {
  const answered = ledger.answered(keyId, sessionId, attempt)
  if (answered && !equalBytes(answered.requestDigest, requestDigest))
    throw new Refusal('signed_already', 'this attempt at the session was answered to another request')
  return answered?.answer
}

/** How many claims were refused since the ledger was opened. */
export const refusedClaims = (ledger: SigningLedger): number => Object.values(ledger.refusals()).reduce((sum, count) => sum + count, 0)
