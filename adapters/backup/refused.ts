/** Why a backup is not made or not restored. */
export type BackupErrorCode = 'archive_exists' | 'archive_damaged' | 'folder_in_use' | 'passphrase_weak' | 'passphrase_exposed'

export class BackupRefused extends Error {
  override readonly name = 'BackupRefused'
  constructor(
    readonly code: BackupErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}
