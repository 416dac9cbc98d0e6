/** Why a request is not authorised. Codes are stable: clients and coordinators match on them. */
export const AUTHORISATION_CODES = [
  'intent_missing',
  'intent_malformed',
  'intent_unknown_key',
  'intent_signature_invalid',
  'intent_expired',
  'intent_not_yet_valid',
  'intent_window_too_long',
  'intent_method_mismatch',
  'intent_path_mismatch',
  'intent_body_mismatch',
  'approvals_missing',
  'approval_by_stranger',
  'policy_forbids',
  'request_mismatch',
] as const
export type AuthorisationCode = (typeof AUTHORISATION_CODES)[number]

/** What is asked for is not what somebody who may ask for it has signed. */
export class AuthorisationRefused extends Error {
  override readonly name = 'AuthorisationRefused'
  constructor(
    readonly code: AuthorisationCode,
    message: string,
  ) {
    super(message)
  }
}
