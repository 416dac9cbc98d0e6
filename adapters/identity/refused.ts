import { InvalidSetting } from '../process/settings.ts'

/** Why somebody cannot act under the name that it is configured with. */
export type IdentityErrorCode = 'key_missing' | 'key_unreadable' | 'key_exposed' | 'not_enrolled' | 'key_not_enrolled'

export class IdentityRefused extends InvalidSetting {
  constructor(
    readonly code: IdentityErrorCode,
    message: string,
  ) {
    super(message)
  }
}
