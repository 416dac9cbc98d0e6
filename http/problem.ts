/** Errors as HTTP sees them: RFC 9457 problem details, each with a stable code. */
import type { AuthorisationCode } from '../domain/authorisation/refused.ts'
import { DomainError, type DomainErrorCode } from '../domain/domain-error.ts'
import { MalformedJson } from '../domain/json/strict-json.ts'
import { EventUnreadable, Unavailable, WrongExpectedRevision } from '../domain/ports/event-log.ts'

type TransportCode =
  | 'malformed_request'
  | 'request_timeout'
  | 'headers_too_large'
  | 'history_too_long'
  | 'malformed_json'
  | 'body_incomplete'
  | 'body_too_large'
  | 'media_type_unsupported'
  | 'invalid_header'
  | 'invalid_parameter'
  | 'invalid_cursor'
  | 'cursor_expired'
  | 'not_acceptable'
  | 'too_many_readers'
  | 'validation_failed'
  | 'token_missing'
  | 'token_invalid'
  | 'token_expired'
  | 'forbidden'
  | 'not_found'
  | 'method_not_allowed'
  | 'projection_not_found'
  | 'nothing_parked'
  | 'rebuild_in_progress'
  | 'idempotency_key_in_flight'
  | 'command_conflict'
  | 'read_model_behind'
  | 'party_not_found'
  | 'event_not_found'
  | 'checkpoint_not_found'
  | 'event_not_stored'
  | 'not_signed_yet'
  | 'transfer_not_built'
  | 'log_contradicts_tree'
  | 'queue_full'
  | 'dependency_unavailable'
  | 'deadline_exceeded'
  | 'event_unreadable'
  | 'internal_error'

export type ProblemCode = DomainErrorCode | AuthorisationCode | TransportCode

type Kind = { status: number; title: string; retryable?: true }

/** What each code means to a client. */
export const PROBLEMS: { readonly [Code in ProblemCode]: Kind } = {
  malformed_request: { status: 400, title: 'The request is not HTTP' },
  malformed_json: { status: 400, title: 'The body is not a JSON object' },
  body_incomplete: { status: 400, title: 'The body ended before its announced length' },
  invalid_header: { status: 400, title: 'A header is malformed' },
  invalid_parameter: { status: 400, title: 'A query parameter is malformed' },
  invalid_cursor: { status: 400, title: 'The cursor was not given out by this list' },
  token_missing: { status: 401, title: 'A bearer token is required' },
  token_invalid: { status: 401, title: 'The bearer token is not valid' },
  token_expired: { status: 401, title: 'The bearer token has expired' },
  intent_missing: { status: 401, title: 'An intent is required' },
  intent_malformed: { status: 401, title: 'The intent is malformed' },
  intent_unknown_key: { status: 401, title: 'The intent names a key that may not ask for this' },
  intent_signature_invalid: { status: 401, title: "The intent's signature does not hold" },
  intent_expired: { status: 401, title: 'The intent has expired' },
  intent_not_yet_valid: { status: 401, title: 'The intent was made in the future' },
  intent_window_too_long: { status: 401, title: 'The intent is valid for too long' },
  intent_method_mismatch: { status: 403, title: 'The intent is for another method' },
  intent_path_mismatch: { status: 403, title: 'The intent is for another path' },
  intent_body_mismatch: { status: 403, title: 'The intent is for another body' },
  approvals_missing: { status: 403, title: 'Too few approvers have approved' },
  approval_by_stranger: { status: 403, title: 'The policy does not name the approver' },
  policy_forbids: { status: 403, title: 'The policy does not allow this' },
  request_mismatch: { status: 403, title: 'What was signed is for another request' },
  forbidden: { status: 403, title: 'The caller may not do this' },
  not_an_approver: { status: 403, title: 'The caller is not an approver' },
  not_found: { status: 404, title: 'There is nothing here' },
  wallet_not_found: { status: 404, title: 'No such wallet' },
  key_not_found: { status: 404, title: 'No such key' },
  session_not_found: { status: 404, title: 'No such signing session' },
  account_not_found: { status: 404, title: 'No such account' },
  projection_not_found: { status: 404, title: 'No such projection' },
  party_not_found: { status: 404, title: 'No such party' },
  event_not_found: { status: 404, title: 'No such event' },
  checkpoint_not_found: { status: 404, title: 'No such checkpoint' },
  nothing_parked: { status: 404, title: 'No event of this stream is parked' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here' },
  not_acceptable: { status: 406, title: 'It cannot be sent in any form that is accepted' },
  request_timeout: { status: 408, title: 'The request came too slowly' },
  wallet_exists: { status: 409, title: 'The wallet exists already' },
  wallet_frozen: { status: 409, title: 'The wallet is frozen' },
  wallet_not_frozen: { status: 409, title: 'The wallet is not frozen' },
  intent_reused: { status: 409, title: 'The intent was used before' },
  key_exists: { status: 409, title: 'The key exists already' },
  key_not_active: { status: 409, title: 'The key cannot sign' },
  key_not_pending: { status: 409, title: 'The key is not being generated' },
  key_not_refreshing: { status: 409, title: 'The key is not being refreshed' },
  key_not_recovering: { status: 409, title: 'No share of the key is being recovered' },
  refresh_under_way: { status: 409, title: 'The key is being refreshed' },
  recovery_under_way: { status: 409, title: 'A share of the key is being recovered' },
  threshold_of_one: { status: 409, title: 'Every share is as good as the key: there is nothing to refresh' },
  too_few_holders: { status: 409, title: 'The other holders are too few to recover a share' },
  session_exists: { status: 409, title: 'The signing session exists already' },
  session_not_pending_approval: { status: 409, title: 'The signing session does not wait for approval' },
  session_terminal: { status: 409, title: 'The signing session has ended' },
  session_out_of_order: { status: 409, title: 'The signing session is not at this step' },
  already_decided: { status: 409, title: 'The approver has decided otherwise' },
  rebuild_in_progress: { status: 409, title: 'The projection is being rebuilt already' },
  command_conflict: { status: 409, title: 'Another command was first', retryable: true },
  idempotency_key_in_flight: { status: 409, title: 'A request with this idempotency key is being handled', retryable: true },
  event_not_stored: { status: 410, title: 'The event is not in the store any more' },
  cursor_expired: { status: 410, title: 'The log does not have everything after the cursor any more' },
  body_too_large: { status: 413, title: 'The body is too large' },
  media_type_unsupported: { status: 415, title: 'The body must be application/json' },
  validation_failed: { status: 422, title: 'The body does not have the required shape' },
  idempotency_key_reused: { status: 422, title: 'The idempotency key was used for a different request' },
  raw_digest_not_allowed: { status: 422, title: 'The policy does not allow bare digests' },
  message_hides_transaction: { status: 422, title: 'The policy does not allow what could be a transaction' },
  psbt_not_supported: { status: 422, title: 'The chain has no PSBTs' },
  psbt_invalid: { status: 422, title: 'The PSBT cannot be signed for this account' },
  psbt_mismatch: { status: 422, title: 'The PSBT does something else than the transfer' },
  payload_not_supported: { status: 422, title: 'The scheme cannot sign this payload' },
  typed_data_invalid: { status: 422, title: 'The typed data cannot be signed' },
  typed_data_not_allowed: { status: 422, title: 'The policy does not allow these typed data' },
  path_invalid: { status: 422, title: 'No key can be derived along this path' },
  scheme_unknown: { status: 422, title: 'No such signature scheme' },
  threshold_invalid: { status: 422, title: 'The threshold does not fit the number of parties' },
  parties_invalid: { status: 422, title: 'The parties cannot share a key' },
  party_not_a_holder: { status: 422, title: 'The party holds no share of the key' },
  client_keys_invalid: { status: 422, title: 'These cannot be the client keys of a wallet' },
  approvals_invalid: { status: 422, title: 'The approvals cannot be met' },
  unknown_chain: { status: 422, title: 'No such chain is set up' },
  scheme_not_supported_by_chain: { status: 422, title: 'The chain knows no signatures of this scheme' },
  address_malformed: { status: 422, title: 'This is no address of the chain' },
  address_checksum_wrong: { status: 422, title: 'The checksum of the address is wrong' },
  address_of_another_network: { status: 422, title: 'The address is of another network' },
  address_kind_not_supported: { status: 422, title: 'Nothing can be sent to an address of this kind' },
  asset_unknown: { status: 422, title: 'The chain has no such asset' },
  transfer_not_found: { status: 404, title: 'No such transfer' },
  deposit_unknown: { status: 404, title: 'No such deposit' },
  transfer_terminal: { status: 409, title: 'The transfer has ended' },
  transfer_out_of_order: { status: 409, title: 'The transfer is not at this step' },
  transfer_not_pending_approval: { status: 409, title: 'The transfer does not wait for approval' },
  transfer_not_built: { status: 409, title: 'The transfer has no such transaction yet' },
  transfer_too_early: { status: 409, title: 'The transfer may not be signed yet' },
  transfer_may_be_signed: { status: 409, title: 'The transfer may have been signed, and cannot end without the chain' },
  request_of_replaced_key: { status: 409, title: 'The key that asked for the transfer was replaced' },
  replacement_under_way: { status: 409, title: 'The transaction is being replaced already' },
  funds_locked: { status: 409, title: 'The funds are tied up for now', retryable: true },
  transfers_under_way: { status: 409, title: 'Transfers of the wallet have not ended', retryable: true },
  personal_data_erased: { status: 410, title: 'What was asked for has been erased' },
  conflict_taken: { status: 409, title: 'Another transfer uses up the same' },
  not_replaceable: { status: 422, title: 'The chain cannot put another transaction in its place' },
  amount_malformed: { status: 422, title: 'This is no amount' },
  amount_fractional: { status: 422, title: 'The amount has decimals' },
  amount_negative: { status: 422, title: 'The amount is negative' },
  amount_zero: { status: 422, title: 'The amount is zero' },
  amount_too_large: { status: 422, title: 'The amount is larger than any chain counts' },
  insufficient_funds: { status: 422, title: 'The account does not have as much' },
  account_ambiguous: { status: 422, title: 'Several accounts could pay' },
  policy_denied: { status: 422, title: 'The policy does not allow this transfer' },
  too_few_parties: { status: 422, title: 'The policy wants more signers than the key has parties' },
  transfer_rules_invalid: { status: 422, title: 'These cannot be the rules for transfers' },
  chain_not_connected: { status: 422, title: 'The chain has no endpoint here' },
  dust: { status: 422, title: 'The amount is too small to be moved' },
  account_closed: { status: 422, title: 'The account that holds the asset is closed' },
  memo_not_supported: { status: 422, title: 'The chain cannot carry this memo' },
  fee_too_high: { status: 422, title: 'The fee would be higher than it may be' },
  transfer_would_revert: { status: 422, title: 'The chain would undo the transfer' },
  inputs_missing: { status: 422, title: 'What it spends is not there' },
  transaction_rejected: { status: 422, title: 'The chain takes no such transaction' },
  webhook_not_found: { status: 404, title: 'No such webhook' },
  webhook_disabled: { status: 409, title: 'The webhook is disabled' },
  webhook_url_not_allowed: { status: 422, title: 'Nothing may be sent to this address' },
  too_many_webhooks: { status: 422, title: 'The tenant has as many webhooks as it may have' },
  too_many_resends: { status: 503, title: 'Too many resends of the webhook wait for their turn', retryable: true },
  history_too_long: { status: 422, title: 'There is too much to be told at once' },
  headers_too_large: { status: 431, title: 'The headers are too large' },
  event_unreadable: { status: 500, title: 'The history holds an event that cannot be read' },
  log_contradicts_tree: { status: 500, title: 'The log is not what its checkpoints say' },
  internal_error: { status: 500, title: 'Something went wrong here' },
  dependency_unavailable: { status: 503, title: 'A service this one depends on does not answer', retryable: true },
  read_model_behind: { status: 503, title: 'The read model has not reached the position asked for', retryable: true },
  too_many_readers: { status: 503, title: 'Too many readers of streams', retryable: true },
  not_signed_yet: { status: 503, title: 'No checkpoint covers the event yet', retryable: true },
  chain_unavailable: { status: 503, title: "The chain's endpoints do not answer", retryable: true },
  too_many_transfers: { status: 503, title: 'Too many transfers of the wallet are under way', retryable: true },
  too_many_deposits: { status: 503, title: 'Too many deposits of the wallet are not final yet', retryable: true },
  queue_full: { status: 503, title: 'Too many signing sessions wait for their turn', retryable: true },
  deadline_exceeded: { status: 503, title: 'The request took too long', retryable: true },
}

/** One fault: of the body at a JSON Pointer (RFC 6901), or of a query parameter or header by its name; `rule` is that of the policy which it breaks. */
export type Fault = { pointer?: string; parameter?: string; header?: string; rule?: string; code: string; detail: string }

/** Thrown to answer with a problem; `detail` is for the caller to read, so nothing internal belongs in it. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly code: ProblemCode
  readonly errors: readonly Fault[]
  readonly headers: { readonly [name: string]: string }
  /** Members of the document beside those that every problem has (RFC 9457 §3.2). */
  readonly extensions: { readonly [member: string]: string }

  constructor(
    code: ProblemCode,
    detail: string,
    {
      errors = [],
      headers = {},
      extensions = {},
      cause,
    }: {
      errors?: readonly Fault[]
      headers?: { readonly [name: string]: string }
      extensions?: { readonly [member: string]: string }
      cause?: unknown
    } = {},
  ) {
    super(detail, { cause })
    this.code = code
    this.errors = errors
    this.extensions = extensions
    this.headers = { ...(PROBLEMS[code].retryable && { 'Retry-After': '1' }), ...headers }
  }

  get status(): number {
    return PROBLEMS[this.code].status
  }
}

/** Nothing has this identifier that the caller may know of: unknown, another tenant's and impossible ones are answered alike. */
export function noSuch(parameter: string): Problem {
  if (parameter === 'walletId') return new Problem('wallet_not_found', 'no such wallet')
  if (parameter === 'keyId') return new Problem('key_not_found', 'no such key')
  if (parameter === 'sessionId') return new Problem('session_not_found', 'no such signing session')
  if (parameter === 'transferId') return new Problem('transfer_not_found', 'no such transfer')
  if (parameter === 'accountId') return new Problem('account_not_found', 'no such account')
  if (parameter === 'webhookId') return new Problem('webhook_not_found', 'no such webhook')
  if (parameter === 'projection') return new Problem('projection_not_found', 'no such projection')
  if (parameter === 'partyId') return new Problem('party_not_found', 'no such party')
  if (parameter === 'event') return new Problem('event_not_found', 'no such event')
  if (parameter === 'stream') return new Problem('nothing_parked', 'no event of this stream is parked')
  return new Problem('not_found', 'there is nothing here')
}

/** The problem that an error amounts to. Of an unexpected error nothing is told but that it happened. */
export function problemFrom(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof DomainError) {
    const { pointer, rule, code, message: detail } = error
    const errors = pointer === undefined ? [] : [{ pointer, ...(rule === undefined ? {} : { rule }), code, detail }]
    return new Problem(error.code, error.message, { errors, cause: error })
  }
  if (error instanceof MalformedJson) return new Problem('validation_failed', error.message, { cause: error })
  if (error instanceof WrongExpectedRevision)
    return new Problem('command_conflict', 'another command changed the same thing first', { cause: error })
  if (error instanceof Unavailable) return new Problem('dependency_unavailable', error.message, { cause: error })
  if (error instanceof EventUnreadable)
    return new Problem('event_unreadable', 'an operator finds the event in the log of this process', { cause: error })
  return new Problem('internal_error', 'the error has been recorded under the correlation id', { cause: error })
}

/** The `application/problem+json` document of RFC 9457. */
export function problemDocument(problem: Problem, correlationId: string): object {
  const { status, title, retryable = false } = PROBLEMS[problem.code]
  return {
    type: `/docs#${problem.code}`,
    title,
    status,
    detail: problem.message,
    code: problem.code,
    correlationId,
    retryable,
    ...problem.extensions,
    ...(problem.errors.length > 0 && { errors: problem.errors }),
  }
}
