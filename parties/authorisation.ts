import { bytesToHex } from '@noble/hashes/utils.js'
import { MAX_AGE_SECONDS, verifyPolicyChange, verifySignatureRequest } from '../domain/authorisation/approvals.ts'
import { type Intent, intentId, type VerifyJws, verifyIntent } from '../domain/authorisation/intent.ts'
import { encodePolicy, type KeyPolicy, policyDigest } from '../domain/authorisation/key-policy.ts'
import { AuthorisationRefused } from '../domain/authorisation/refused.ts'
import { Refusal } from '../domain/ceremony/refusal.ts'
import { DomainError } from '../domain/domain-error.ts'
import { MalformedJson, parseStrictJson, readFields } from '../domain/json/strict-json.ts'
import type { Authorisation } from '../domain/key-share/events.ts'
import { TransactionRefused } from '../domain/ports/transaction-codec.ts'
import { messageToSign, readWantedSignature } from '../domain/signing-session/payload.ts'
import { protocolOf } from '../domain/threshold/registry.ts'
import type { Scheme } from '../domain/threshold/scheme.ts'
import { nextPolicy } from '../domain/wallet/policy.ts'
import { readPolicyChange } from '../domain/wallet/read-policy-change.ts'

/**
 * What a party checks for itself before it does anything with a share: that somebody whom the key's own policy names has signed for exactly this.
 * Whoever brings the request is believed in nothing. The intents that come back, `kid/jti`, may each be used for this one thing only.
 */

/** The key's policy, as it was sealed with the share; `now` is in milliseconds since the epoch. */
export type Rules = { policy: KeyPolicy; verify: VerifyJws; now: number }

export type KeyOperation = 'refresh' | 'revoke' | 'recover'

/** Keys are made and mended one after another: an intent that was good when it was handed in waits its turn for so long. It is good for one key, once. */
const QUEUED_SECONDS = 15 * 60
/** How old an intent may be. A revocation may take as long as it takes to reach everybody: a holder that was away must still hear of it. */
const MAX_AGES: Readonly<Record<KeyOperation, number>> = { refresh: QUEUED_SECONDS, recover: QUEUED_SECONDS, revoke: MAX_AGE_SECONDS }

/**
 * What is to be signed, and by the key at which derivation path. Both follow from what the client has signed.
 * @throws Refusal
 */
export function authoriseSignature({
  authorisation,
  approvals,
  sessionId,
  keyId,
  scheme,
  ...rules
}: Rules & {
  authorisation: Authorisation
  approvals: readonly Authorisation[]
  sessionId: string
  keyId: string
  scheme: Scheme
}): { message: Uint8Array; path: string; intents: readonly string[] } {
  return coded(() => {
    requirePost(authorisation, `/v1/keys/${keyId}/signatures`)
    const intents = verifySignatureRequest({ authorisation, approvals, sessionId }, rules)
    const { payload, path } = readWantedSignature(authorisation.body)
    return { message: messageToSign(payload, rules.policy, protocolOf(scheme)), path, intents: intents.map(intentId) }
  })
}

/**
 * Here the policy is not yet sealed: it comes with the request, and is what the key will obey. All holders seal the same, or there is no key; where the client
 * has said which, they seal that one.
 * @throws Refusal
 */
export function authoriseKeyGeneration({
  authorisation,
  scheme,
  threshold,
  parties,
  ...rules
}: Rules & { authorisation: Authorisation; scheme: Scheme; threshold: number; parties: readonly string[] }): readonly string[] {
  return coded(() => {
    requirePost(authorisation, `/v1/wallets/${rules.policy.walletId}/keys`)
    const intents = verifyByClient(authorisation, { ...rules, maxAgeSeconds: QUEUED_SECONDS })
    const wanted = readFields(parseStrictJson(authorisation.body), ['scheme', 'threshold', 'parties'], ['policyDigest'])
    const isWanted = wanted.scheme === scheme && wanted.threshold === threshold && isAmong(wanted.parties, parties)
    if (!isWanted) throw new Refusal('request_mismatch', 'the client has asked for another key')
    if (wanted.policyDigest !== undefined && wanted.policyDigest !== bytesToHex(policyDigest(encodePolicy(rules.policy))))
      throw new Refusal('request_mismatch', 'the client has asked for a key under another policy')
    return intents
  })
}

/** @throws Refusal */
export function authoriseKeyOperation(
  operation: KeyOperation,
  { authorisation, keyId, ...rules }: Rules & { authorisation: Authorisation; keyId: string },
): readonly string[] {
  return coded(() => {
    requirePost(authorisation, `/v1/keys/${keyId}/${operation}`)
    return verifyByClient(authorisation, { ...rules, maxAgeSeconds: MAX_AGES[operation] })
  })
}

/**
 * The recovery of one holder's share. That holder, who has lost the policy too, checks it by the one that the others hold: theirs is part of what all sign.
 * @throws Refusal
 */
export function authoriseRecovery({
  lost,
  ...request
}: Rules & { authorisation: Authorisation; keyId: string; lost: string }): readonly string[] {
  const intents = authoriseKeyOperation('recover', request)
  return coded(() => {
    const { party } = readFields(parseStrictJson(request.authorisation.body), ['party'])
    if (party !== lost) throw new Refusal('request_mismatch', "the client has asked for another party's share")
    return intents
  })
}

/**
 * The policy that follows the one in force, which alone decides whether it may.
 * @throws Refusal
 */
export function authorisePolicyChange({
  authorisation,
  approvals,
  ...rules
}: Rules & { authorisation: Authorisation; approvals: readonly string[] }): { policy: KeyPolicy; intents: readonly string[] } {
  return coded(() => {
    requirePost(authorisation, `/v1/wallets/${rules.policy.walletId}/policy`)
    const intents = verifyPolicyChange({ authorisation, approvals }, { ...rules, maxAgeSeconds: MAX_AGE_SECONDS })
    return { policy: nextPolicy(rules.policy, readPolicyChange(authorisation.body)), intents: intents.map(intentId) }
  })
}

/** What is wrong with a request under this policy, and might not be under another. */
const FORBIDDEN: readonly string[] = ['raw_digest_not_allowed', 'message_hides_transaction', 'typed_data_not_allowed']

function verifyByClient(authorisation: Authorisation, { policy, ...rules }: Rules & { maxAgeSeconds: number }): readonly string[] {
  const intent: Intent = verifyIntent(authorisation, { ...rules, keys: policy.clientKeys })
  return [intentId(intent)]
}

/** @throws Refusal `request_mismatch` */
export function requirePost({ method, path }: Authorisation, expected: string): void {
  if (method !== 'POST' || path !== expected) throw new Refusal('request_mismatch', 'the client has asked for something else')
}

/** A client may leave it open who the holders are, but not how many. */
function isAmong(wanted: unknown, parties: readonly string[]): boolean {
  if (!Array.isArray(wanted)) return wanted === parties.length
  return wanted.length === parties.length && wanted.every((id, index) => id === parties[index])
}

/** What speaks against a request, by the codes of parties. */
export function coded<Result>(check: () => Result): Result {
  try {
    return check()
  } catch (error) {
    if (error instanceof AuthorisationRefused) throw new Refusal(error.code, error.message)
    if (error instanceof MalformedJson) throw new Refusal('malformed', error.message)
    if (error instanceof TransactionRefused) throw new Refusal(error.code, error.message)
    if (error instanceof DomainError) throw new Refusal(FORBIDDEN.includes(error.code) ? 'policy_forbids' : 'malformed', error.message)
    throw error
  }
}
