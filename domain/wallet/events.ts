import type { ClientKey } from '../authorisation/client-key.ts'
import type { Authorisation } from '../key-share/events.ts'
import type { WalletPolicy } from './policy.ts'
import type { DepositEvent, TransferEvent } from './transfers/events.ts'

export type WalletEvent =
  | {
      type: 'WalletCreated'
      data: { walletId: string; tenant: string; name: string; clientKeys: readonly ClientKey[]; policy: WalletPolicy }
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
  | { type: 'WalletFrozen'; data: { walletId: string; reason: string } }
  | { type: 'WalletUnfrozen'; data: { walletId: string; reason: string } }
  | TransferEvent
  | DepositEvent

/** Stream of a wallet. */
export const walletStream = (walletId: string) => `wallet-${walletId}`
export const WALLET_STREAMS = 'wallet-'
