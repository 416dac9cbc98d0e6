/** Why a keystore does not open. */
export type KeystoreErrorCode = 'passphrase_wrong' | 'passphrase_file_invalid' | 'passphrase_file_exposed' | 'header_invalid'

export class KeystoreRefused extends Error {
  override readonly name = 'KeystoreRefused'
  constructor(
    readonly code: KeystoreErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}
