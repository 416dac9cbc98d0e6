import type { Authorisation } from '../../key-share/events.ts'
import type { Personal } from '../../personal-data/sealed.ts'
import type { Decision } from '../../policy/decision.ts'
import type { FeeLevel } from '../../ports/chain-node.ts'
import type { Scheme } from '../../threshold/scheme.ts'

/** On every event of a transfer, so that each can be understood alone. */
export type TransferIdentity = { walletId: string; transferId: string }

/** Amounts are decimal strings of base units, assets CAIP-19. */
export type Funds = { asset: string; amount: string }

/** `height` is a decimal string. */
export type Block = { height: string; hash: string }

/** Who pays, and from where: an account of the wallet. */
export type Payer = {
  accountId: string
  keyId: string
  scheme: Scheme
  /** CAIP-2. */
  chain: string
  path: string
  /** Of the key at the path, hex. */
  publicKey: string
  address: string
}

export type RequestedTransfer = Payer & {
  asset: string
  to: string
  amount: string
  fee: FeeLevel
  maxFee: string | null
  memo: Personal<string | null>
  /** What its transactions say on the chain; absent when that is nothing. */
  publicMemo?: string
  /** The native coin, in which fees are paid, and the most that this one was said to cost. */
  feeAsset: string
  quotedFee: string
  /** Null when nobody knows what it is worth. */
  usdCents: string | null
  /** The transaction itself, base64, where another wallet has made it. */
  psbt?: string
}

/** What has to be there before it is built: `signers` is the number of parties, `notBefore` RFC 3339. */
export type TransferRequirements = {
  approvals: { required: number; approvers: readonly string[] } | null
  signers: number
  notBefore: string | null
}

/** What a transaction is made for: what was asked for, the same at a higher fee, or nothing but taking the place of the one before. */
export type Purpose = 'transfer' | 'acceleration' | 'cancellation'

export type BuiltTransaction = {
  /** From 1. */
  version: number
  as: Purpose
  /** Base64. */
  unsigned: string
  /** SHA-256 of it, hex. */
  hashOfUnsigned: string
  /** The most that it can cost. */
  fee: string
  conflicts: readonly string[]
  /** What the node adapter wants back with it. */
  validity: string | null
  /** The signing sessions, one for each message, in their order. */
  sessionIds: readonly string[]
  /** The version whose place it takes. */
  replaces: number | null
  /** The client's word for it when it takes the place of another. */
  authorisation: Personal<Authorisation | null>
}

/** A transaction of a transfer as the chain knows it. */
export type MinedTransaction = { version: number; hash: string; block: Block }

export type TransferEvent =
  | {
      type: 'TransferRequested'
      data: TransferIdentity &
        RequestedTransfer & {
          decision: Decision
          requires: TransferRequirements
          status: 'submitted' | 'pending_approval'
          requestedAt: string
          deadline: string
          authorisation: Personal<Authorisation>
        }
    }
  /** Taken out of what is available. With the request, and again when an acceleration may cost more. */
  | { type: 'FundsReserved'; data: TransferIdentity & { accountId: string; reserved: readonly Funds[] } }
  | {
      type: 'TransferApproved'
      data: TransferIdentity & { approver: string; authorisation: Personal<Authorisation>; status: 'pending_approval' | 'queued' }
    }
  | {
      type: 'TransferApprovalRejected'
      data: TransferIdentity & { approver: string; authorisation: Personal<Authorisation>; status: 'pending_approval' | 'rejected' }
    }
  /** The policy was changed while it waited: these approvals are wanted now, and these of the approvals given still count. */
  | {
      type: 'TransferApprovalsRevised'
      data: TransferIdentity & {
        decision: Decision
        requires: TransferRequirements
        granted: readonly string[]
        refused: readonly string[]
      }
    }
  /** `nonce` is a decimal string; it is the account's next one, or one that was given out and not used. */
  | { type: 'NonceAllocated'; data: TransferIdentity & { accountId: string; nonce: string } }
  | { type: 'TransferBuilt'; data: TransferIdentity & { accountId: string } & BuiltTransaction }
  /** `raw` is base64, `hash` what the chain will call it. */
  | { type: 'TransferSigned'; data: TransferIdentity & { version: number; raw: string; hash: string } }
  /** A node has taken it. */
  | { type: 'TransferBroadcast'; data: TransferIdentity & { version: number; hash: string } }
  /** It is in a block; `confirmed` once as many others follow as the chain is configured to want. */
  | {
      type: 'TransferConfirmed'
      data: TransferIdentity &
        MinedTransaction & { confirmations: number; outcome: 'succeeded' | 'reverted'; status: 'confirming' | 'confirmed' }
    }
  /** The block it was in is not in the chain any more. */
  | { type: 'TransferReorganised'; data: TransferIdentity & { version: number; hash: string; was: Block } }
  /** A client wants it faster, or undone, though there is a transaction already. */
  | {
      type: 'TransferReplacementRequested'
      data: TransferIdentity & {
        as: 'acceleration' | 'cancellation'
        fee: FeeLevel | null
        maxFee: string | null
        by: string
        authorisation: Personal<Authorisation>
      }
    }
  /** What was asked for did not come to anything; the transaction before stands. */
  | { type: 'TransferReplacementFailed'; data: TransferIdentity & { as: 'acceleration' | 'cancellation'; code: string } }
  | { type: 'TransferStuck'; data: TransferIdentity & { since: string; reason: string } }
  /** `status` is where its newest transaction is. */
  | { type: 'TransferUnstuck'; data: TransferIdentity & { status: 'signing' | 'signed' | 'broadcasting' } }
  /** `spent` has left the account for good: with an end in the chain, the fee at least. */
  | {
      type: 'TransferFinalized'
      data: TransferIdentity & { accountId: string } & MinedTransaction & {
          feePaid: string
          spent: readonly Funds[]
          /** What has come to the destination, where that may be something else than the amount. */
          received?: string
        }
    }
  | {
      type: 'TransferReverted'
      data: TransferIdentity & { accountId: string } & MinedTransaction & { feePaid: string; spent: readonly Funds[] }
    }
  /** `mined` is the cancellation in the chain; null when there was nothing to cancel there. */
  | {
      type: 'TransferCancelled'
      data: TransferIdentity & { accountId: string; by: string; mined: MinedTransaction | null; spent: readonly Funds[] }
    }
  /** What it would have used up was used by a transaction of somebody else. */
  | { type: 'TransferReplaced'; data: TransferIdentity & { by: string | null } }
  /** It can never be mined any more. */
  | { type: 'TransferDropped'; data: TransferIdentity & { reason: string } }
  | { type: 'TransferFailed'; data: TransferIdentity & { code: string; rule: string | null } }
  | { type: 'TransferRejected'; data: TransferIdentity & { code: string; rule: string | null } }
  | { type: 'TransferExpired'; data: TransferIdentity & { deadline: string } }
  /** Given back to what is available: with every end what was reserved and not spent. `nonce` may be given out again. */
  | { type: 'FundsReleased'; data: TransferIdentity & { accountId: string; released: readonly Funds[]; nonce: string | null } }

/** Funds that have come in for an account, by the chain's id for them. */
export type DepositIdentity = { walletId: string; accountId: string; depositId: string }

export type DepositEvent =
  | {
      type: 'DepositDetected'
      data: DepositIdentity &
        Funds & {
          chain: string
          hash: string | null
          from: string | null
          block: Block
          /** Whether it was seen to come in, or the balance was seen to be higher. */
          source: 'transaction' | 'balance'
        }
    }
  | { type: 'DepositCredited'; data: DepositIdentity & Funds & { confirmations: number } }
  /** The block it was in is not in the chain any more; `was` says which of the account's figures it is taken from. */
  | { type: 'DepositReverted'; data: DepositIdentity & Funds & { was: 'pending' | 'credited' } }
