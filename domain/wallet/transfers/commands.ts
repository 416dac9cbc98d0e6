import type { Authorisation } from '../../key-share/events.ts'
import type { Personal } from '../../personal-data/sealed.ts'
import type { FeeLevel } from '../../ports/chain-node.ts'
import type { Block, BuiltTransaction, Funds, MinedTransaction, RequestedTransfer } from './events.ts'

/** Times are RFC 3339, amounts decimal strings. What cannot be done is refused; what is done already changes nothing. */
export type TransferCommand =
  | RequestTransfer
  | DecideTransfer
  /** `observed` is the chain's next nonce: it counts when the account has nothing under way, and is where counting begins. */
  | { type: 'AllocateNonce'; transferId: string; observed: string; now: string }
  /**
   * `as` is 'transfer' also when it is made anew, after the one before it has died of age; a replacement that a client has asked for takes his word for it from
   * the aggregate.
   */
  | ({ type: 'BuildTransfer'; transferId: string; now: string } & Omit<BuiltTransaction, 'version' | 'authorisation'>)
  | { type: 'SignTransfer'; transferId: string; version: number; raw: string; hash: string }
  | { type: 'BroadcastTransfer'; transferId: string; version: number }
  /** It is in this block; `isConfirmed` when as many follow as the chain wants. In another block than before it was reorganised. */
  | ({
      type: 'ConfirmTransfer'
      transferId: string
      confirmations: number
      outcome: 'succeeded' | 'reverted'
      isConfirmed: boolean
    } & Omit<MinedTransaction, 'hash'>)
  | { type: 'ReorganiseTransfer'; transferId: string }
  /** Its block is final. What has become of the transfer follows from which of its transactions it is, and from the outcome. */
  | ({
      type: 'FinalizeTransfer'
      transferId: string
      outcome: 'succeeded' | 'reverted'
      feePaid: string
      /** What has left the account, and come to the destination, where that may be something else than the amount. */
      moved?: { left: string; received: string }
    } & Omit<MinedTransaction, 'hash'>)
  /** None of its transactions can be mined any more: `by` is the hash of the one that was instead, null when it is not known. */
  | { type: 'ReplaceTransfer'; transferId: string; by: string | null }
  | { type: 'DropTransfer'; transferId: string; reason: string }
  /**
   * It comes to nothing. Once it is built parties may hold what it uses up for it alone: then it is refused, unless nothing is used up, or `unclaimedUpTo` says
   * that no party was asked to sign any of its transactions up to this version, its latest, and no other transfer waits for its nonce to be used.
   */
  | { type: 'FailTransfer'; transferId: string; code: string; rule: string | null; unclaimedUpTo?: number }
  /** Judged again by the policy in force, as long as it is not built: it may have been changed since. */
  | { type: 'ReviseTransfer'; transferId: string }
  /** The policy speaks against it now. */
  | { type: 'RejectTransfer'; transferId: string; code: string; rule: string | null }
  | { type: 'ExpireTransfer'; transferId: string; now: string }
  /** Cancels what is not built yet; afterwards a cancellation in the chain is asked for, which `BuildTransfer` makes. */
  | { type: 'CancelTransfer'; transferId: string; maxFee: string | null; by: string; authorisation: Personal<Authorisation> }
  | {
      type: 'AccelerateTransfer'
      transferId: string
      fee: FeeLevel
      maxFee: string | null
      by: string
      authorisation: Personal<Authorisation>
    }
  /** What was asked for cannot be made: the transaction before stands. */
  | { type: 'FailReplacement'; transferId: string; code: string }
  | { type: 'MarkTransferStuck'; transferId: string; since: string; reason: string }
  | { type: 'UnmarkTransferStuck'; transferId: string }

/** `usdCents` is null when nobody knows, `holders` how many parties have a share of the key. The policy in force decides, with what was moved before. */
export type RequestTransfer = { type: 'RequestTransfer'; transferId: string } & RequestedTransfer & {
    holders: number
    now: string
    authorisation: Personal<Authorisation>
  }

/**
 * `approver` is the `kid` of the key that the authorisation is signed with. `lapsed` are those of the transfer's approvers whose approvals would not be taken
 * any more under the policy in force.
 */
export type DecideTransfer = {
  type: 'DecideTransfer'
  transferId: string
  approver: string
  decision: 'approve' | 'reject'
  authorisation: Personal<Authorisation>
  lapsed: readonly string[]
  now: string
}

export type DepositCommand =
  | ({
      type: 'DetectDeposit'
      accountId: string
      depositId: string
      chain: string
      hash: string | null
      from: string | null
      block: Block
      source: 'transaction' | 'balance'
    } & Funds)
  | { type: 'CreditDeposit'; depositId: string; confirmations: number }
  | { type: 'RevertDeposit'; depositId: string }
