/** Why a command is refused. Codes are stable: clients match on them. */
export type DomainErrorCode =
  | 'wallet_not_found'
  | 'wallet_exists'
  | 'wallet_frozen'
  | 'wallet_not_frozen'
  | 'intent_reused'
  | 'key_not_found'
  | 'key_exists'
  | 'key_not_active'
  | 'key_not_pending'
  | 'key_not_refreshing'
  | 'key_not_recovering'
  | 'refresh_under_way'
  | 'recovery_under_way'
  | 'threshold_of_one'
  | 'too_few_holders'
  | 'party_not_a_holder'
  | 'session_not_found'
  | 'session_exists'
  | 'session_not_pending_approval'
  | 'session_terminal'
  | 'session_out_of_order'
  | 'not_an_approver'
  | 'already_decided'
  | 'raw_digest_not_allowed'
  | 'message_hides_transaction'
  | 'payload_not_supported'
  | 'typed_data_invalid'
  | 'path_invalid'
  | 'scheme_unknown'
  | 'threshold_invalid'
  | 'parties_invalid'
  | 'approvals_invalid'
  | 'client_keys_invalid'
  | 'account_not_found'
  | 'unknown_chain'
  | 'scheme_not_supported_by_chain'
  | 'address_malformed'
  | 'address_checksum_wrong'
  | 'address_of_another_network'
  | 'address_kind_not_supported'
  | 'asset_unknown'
  | 'idempotency_key_reused'
  | 'amount_malformed'
  | 'amount_fractional'
  | 'amount_negative'
  | 'amount_zero'
  | 'amount_too_large'
  | 'insufficient_funds'
  | 'funds_locked'
  | 'account_ambiguous'
  | 'policy_denied'
  | 'too_few_parties'
  | 'transfer_rules_invalid'
  | 'transfer_not_found'
  | 'transfer_terminal'
  | 'transfer_out_of_order'
  | 'transfer_not_pending_approval'
  | 'transfer_too_early'
  | 'transfer_may_be_signed'
  | 'replacement_under_way'
  | 'not_replaceable'
  | 'conflict_taken'
  | 'too_many_transfers'
  | 'too_many_deposits'
  | 'deposit_unknown'
  | 'chain_not_connected'
  | 'chain_unavailable'
  | 'dust'
  | 'account_closed'
  | 'fee_too_high'
  | 'transfer_would_revert'

/**
 * A command that the current state does not allow. `pointer` is the JSON Pointer of the request field at fault, if one is; `rule` the id of the rule of the
 * wallet's policy that speaks against it, if one does.
 */
export class DomainError extends Error {
  override readonly name = 'DomainError'
  constructor(
    readonly code: DomainErrorCode,
    message: string,
    readonly pointer?: string,
    readonly rule?: string,
  ) {
    super(message)
  }
}
