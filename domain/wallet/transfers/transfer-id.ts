import type { Intent } from '../../authorisation/intent.ts'
import { uuidv5 } from '../../uuid.ts'

/** Namespace of the ids of transfers. Never to change: parties find out by it which transfer an intent is for. */
const TRANSFER_NAMESPACE = '0b7c2f5e-6a31-5d8e-9f04-7d1c3a5b8e62'

/** The one transfer that an intent asks for: it can be for no other, and there can be no second one. */
export const transferIdOf = (walletId: string, { kid, jti }: Pick<Intent, 'kid' | 'jti'>): string =>
  uuidv5(`${walletId}/${kid}/${jti}`, TRANSFER_NAMESPACE)

/** Where approvers decide on a transfer, and what else can be asked for of one. */
export const transferPath = (transferId: string, what: 'approvals' | 'cancel' | 'accelerate'): string =>
  `/v1/transfers/${transferId}/${what}`
