import { MalformedJson, parseStrictJson, readFields } from '../json/strict-json.ts'
import type { Authorisation } from '../key-share/events.ts'
import { strictestApprovals } from '../policy/evaluate.ts'
import type { ClientKey } from './client-key.ts'
import { type Intent, type IntentRules, isOpen, LATE_SECONDS, verifyIntent } from './intent.ts'
import type { KeyPolicy } from './key-policy.ts'
import { AuthorisationRefused } from './refused.ts'
import { requestDigest } from './request.ts'

/** How long people may take to approve, and for how long those who were away may be told what was decided: a day. */
export const MAX_AGE_SECONDS = 24 * 60 * 60

type Rules = Pick<IntentRules, 'verify' | 'now'> & { policy: KeyPolicy }

/** Where an approver decides on a signing session. */
export const approvalPath = (sessionId: string) => `/v1/signing-sessions/${sessionId}/approvals`

/** What an approver has signed; `requestDigest` is that of the request he has seen. */
export type Decision = { decision: 'approve' | 'reject'; requestDigest?: string }

/**
 * The decision in the body of `POST /v1/signing-sessions/:sessionId/approvals`.
 * @throws MalformedJson
 */
export function readDecision(body: string): Decision {
  const { decision, requestDigest } = readFields(parseStrictJson(body), ['decision'], ['requestDigest'])
  if (decision !== 'approve' && decision !== 'reject') throw new MalformedJson('decision must be approve or reject')
  if (requestDigest !== undefined && typeof requestDigest !== 'string') throw new MalformedJson('requestDigest must be hex')
  return { decision, ...(requestDigest === undefined ? {} : { requestDigest }) }
}

/**
 * Verifies that a client has asked for a signature, and that as many approvers as the policy wants have approved it in this session. Where they are
 * wanted, people decide in their own time: the request may be older than its window, up to a day, but nobody can have approved it before it
 * was made, and the newest approval must be fresh.
 * @returns the intents that allow it
 * @throws AuthorisationRefused
 */
export function verifySignatureRequest(
  request: { authorisation: Authorisation; approvals: readonly Authorisation[]; sessionId: string },
  { policy, ...rules }: Rules,
): readonly Intent[] {
  const { authorisation, approvals, sessionId } = request
  if (!policy.approvals) return [verifyIntent(authorisation, { ...rules, keys: policy.clientKeys })]
  const asked = verifyIntent(authorisation, { ...rules, keys: policy.clientKeys, maxAgeSeconds: MAX_AGE_SECONDS })
  const given = { authorisation, asked, approvals, path: approvalPath(sessionId) }
  const approved = verifyApprovals(given, policy.approvals, { ...rules, maxAgeSeconds: MAX_AGE_SECONDS })
  const newest = approved.reduce((one, other) => (other.iat > one.iat ? other : one))
  if (!isOpen(newest, rules.now)) throw new AuthorisationRefused('intent_expired', 'the newest approval has expired')
  return [asked, ...approved]
}

/**
 * Verifies that a client has asked for another policy, and that as many approvers as the policy in force wants, for anything or for its strictest tier of
 * transfers, have signed the very same request, up to a day before.
 * @param approvals intents over the request, each by an approver
 * @returns the intents that allow it
 * @throws AuthorisationRefused
 */
export function verifyPolicyChange(
  { authorisation, approvals }: { authorisation: Authorisation; approvals: readonly string[] },
  { policy, ...rules }: Rules & Pick<IntentRules, 'maxAgeSeconds'>,
): readonly Intent[] {
  const asked = verifyIntent(authorisation, { ...rules, keys: policy.clientKeys })
  const wanted = strictestApprovals<ClientKey>(policy)
  if (!wanted) return [asked]
  const maxAgeSeconds = MAX_AGE_SECONDS + (rules.maxAgeSeconds ?? 0)
  const approved = approvals.map((intent) => verifyApproval({ ...authorisation, intent }, wanted, { ...rules, maxAgeSeconds }))
  requireEnough(approved, wanted.required)
  return [asked, ...approved]
}

/**
 * Verifies that as many approvers as are wanted have approved a request at this path, none of them before it was made.
 * @param request `asked` is the intent that it was made with
 * @returns the intents of the approvers
 * @throws AuthorisationRefused
 */
export function verifyApprovals(
  request: { authorisation: Authorisation; asked: Intent; approvals: readonly Authorisation[]; path: string },
  wanted: NonNullable<KeyPolicy['approvals']>,
  rules: Omit<IntentRules, 'keys'>,
): readonly Intent[] {
  const { authorisation, asked, approvals, path } = request
  const approved = approvals.map((approval) => {
    requireApprovalOf(authorisation, approval, path)
    return verifyApproval(approval, wanted, rules)
  })
  requireEnough(approved, wanted.required)
  if (approved.some(({ iat }) => iat + LATE_SECONDS < asked.iat))
    throw new AuthorisationRefused('request_mismatch', 'the request was made after it had been approved')
  return approved
}

/** Verifies that one of the approvers has signed this. @throws AuthorisationRefused */
export function verifyApproval(approval: Authorisation, approvals: KeyPolicy['approvals'], rules: Omit<IntentRules, 'keys'>): Intent {
  try {
    return verifyIntent(approval, { ...rules, keys: approvals?.approvers ?? [] })
  } catch (error) {
    if (!(error instanceof AuthorisationRefused) || error.code !== 'intent_unknown_key') throw error
    throw new AuthorisationRefused('approval_by_stranger', 'the policy does not name who has approved')
  }
}

/** @throws AuthorisationRefused `request_mismatch` unless this is an approval of the request, at this path */
function requireApprovalOf(request: Authorisation, { method, path, body }: Authorisation, expected: string): void {
  if (method !== 'POST' || path !== expected) throw new AuthorisationRefused('request_mismatch', 'the approval is for something else')
  const { decision, requestDigest: digest } = decisionIn(body)
  if (decision !== 'approve') throw new AuthorisationRefused('request_mismatch', 'the approver did not approve')
  if (digest !== undefined && digest !== requestDigest(request))
    throw new AuthorisationRefused('request_mismatch', 'the approver has approved another request')
}

function decisionIn(body: string): Decision {
  try {
    return readDecision(body)
  } catch (error) {
    if (!(error instanceof MalformedJson)) throw error
    throw new AuthorisationRefused('request_mismatch', `the approval is none: ${error.message}`)
  }
}

function requireEnough(approved: readonly Intent[], required: number): void {
  const approvers = new Set(approved.map(({ kid }) => kid)).size
  if (approvers < required) throw new AuthorisationRefused('approvals_missing', `${approvers} of ${required} approvals were given`)
}
