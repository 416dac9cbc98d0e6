import type { ClientKey } from '../authorisation/client-key.ts'
import type { Authorisation } from '../key-share/events.ts'
import type { Personal } from '../personal-data/sealed.ts'
import type { WalletPolicy } from './policy.ts'
import type { DepositEvent, TransferEvent } from './transfers/events.ts'

/** Why what is about people is erased. A code, because what people would write here could not be erased any more. */
export const ERASURE_REASONS = ['data_subject_request', 'retention_expired', 'account_closed', 'legal_order'] as const
export type ErasureReason = (typeof ERASURE_REASONS)[number]

export type WalletEvent =
  | {
      type: 'WalletCreated'
      data: { walletId: string; tenant: string; name: Personal<string>; clientKeys: readonly ClientKey[]; policy: WalletPolicy }
    }
  | { type: 'KeyAttached'; data: { walletId: string; keyId: string; scheme: string; publicKey: string } }
  /**
   * `version` counts the policies, the one that the wallet was created with being the first. `approvals` are intents by approvers over the same request;
   * `intents` names (`kid/jti`) those by which it was allowed, unless the event was stored before they were noted.
   */
  | {
      type: 'PolicyChanged'
      data: {
        walletId: string
        policy: WalletPolicy
        /** Absent when they stay. */
        clientKeys?: readonly ClientKey[]
        version: number
        authorisation: Authorisation
        approvals: readonly string[]
        intents?: readonly string[]
      }
    }
  | { type: 'WalletFrozen'; data: { walletId: string; reason: Personal<string> } }
  | { type: 'WalletUnfrozen'; data: { walletId: string; reason: Personal<string> } }
  /** The wallet's data keys with lower numbers than `keysBefore` are destroyed, or are about to be: what was sealed under them cannot be read any more. */
  | { type: 'PersonalDataErased'; data: { walletId: string; keysBefore: number; reason: ErasureReason } }
  | TransferEvent
  | DepositEvent

/** Stream of a wallet. */
export const walletStream = (walletId: string) => `wallet-${walletId}`
export const WALLET_STREAMS = 'wallet-'
