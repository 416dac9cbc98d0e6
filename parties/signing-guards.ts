import type { KeyPolicy } from '../domain/authorisation/key-policy.ts'
import type { VerifyParty } from '../domain/ceremony/opening.ts'
import type { Authorisation } from '../domain/key-share/events.ts'
import type { SigningLedger } from '../domain/ports/signing-ledger.ts'
import type { Scheme } from '../domain/threshold/scheme.ts'
import type { StoredShare } from './share-record.ts'

/** A signature that a client asks for, as it is checked before a share is put to it. */
export type AskedSignature = {
  authorisation: Authorisation
  approvals: readonly Authorisation[]
  sessionId: string
  keyId: string
  scheme: Scheme
  policy: KeyPolicy
  /** Milliseconds since 1970. */
  now: number
}

/** What the client has asked for: the message as the scheme signs it, with which key under the share's. */
export type AllowedSignature = { message: Uint8Array; path: string; intents: readonly string[] }

/** What stands between a request and the share. */
export type SigningGuards = {
  /** @throws Refusal while this party may sign nothing, such as after it was restored from a copy */
  assertUnfenced(): void
  /** The policy that is sealed with a share. @throws Refusal, Unavailable */
  policyOf(stored: StoredShare): Promise<KeyPolicy>
  /** @throws Refusal unless the policy allows it */
  authorise(asked: AskedSignature): Promise<AllowedSignature>
  ledger: Pick<SigningLedger, 'answered' | 'claim'>
  /** Signs what this party says. @throws Unavailable */
  signOpening(message: Uint8Array): Promise<Uint8Array>
  verifyOpening: VerifyParty
}
