/** Why a token cannot be used as it is configured. */
export type TokenErrorCode =
  | 'driver_missing'
  | 'module_not_loaded'
  | 'token_not_found'
  | 'token_ambiguous'
  | 'token_not_created'
  | 'thread_not_main'
  | 'pin_refused'
  | 'key_ambiguous'
  | 'key_exportable'
  | 'key_incomplete'

export class TokenRefused extends Error {
  override readonly name = 'TokenRefused'
  constructor(
    readonly code: TokenErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}
