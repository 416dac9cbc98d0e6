import type { Authorisation } from '../../key-share/events.ts'
import type { Personal } from '../../personal-data/sealed.ts'
import type { FeeLevel } from '../../ports/chain-node.ts'
import type { BuiltTransaction, Funds, MinedTransaction, RequestedTransfer, TransferRequirements } from './events.ts'

export const ENDS = ['finalized', 'rejected', 'cancelled', 'expired', 'failed', 'reverted', 'dropped', 'replaced'] as const
export type End = (typeof ENDS)[number]

/** Before it is built; on its way into the chain; in the chain. `stuck` is on its way too, but getting nowhere. */
export const STAGES = [
  'submitted',
  'pending_approval',
  'queued',
  'signing',
  'signed',
  'broadcasting',
  'stuck',
  'confirming',
  'confirmed',
] as const
export type Stage = (typeof STAGES)[number]
export type TransferStatus = Stage | End

export const isEnd = (status: TransferStatus): status is End => (ENDS as readonly string[]).includes(status)

/** A transfer under way, with all that it takes to go on with it. */
export type Transfer = RequestedTransfer & {
  transferId: string
  status: Stage
  requires: TransferRequirements
  /** Of the wallet, when it was last judged. */
  policyVersion: number
  requestedAt: string
  deadline: string
  authorisation: Personal<Authorisation>
  /** Approvers, and what those have signed who approved, in the same order. */
  granted: readonly string[]
  approvedBy: readonly Personal<Authorisation>[]
  refused: readonly string[]
  reserved: readonly Funds[]
  nonce: string | null
  /** In the order of their versions. At most one of them can be mined. */
  transactions: readonly Transaction[]
  mined: MinedTransaction | null
  /** Asked for by a client, and not built yet. */
  replacement: Replacement | null
  stuck: { since: string; reason: string } | null
}

export type Transaction = BuiltTransaction & {
  /** Who wanted it in the place of the one before; null of one that nobody had to ask for. */
  requestedBy: string | null
  /** Base64, once it is signed; with the hash that the chain calls it by. */
  raw: string | null
  hash: string | null
  isBroadcast: boolean
}

export type Replacement = {
  as: 'acceleration' | 'cancellation'
  fee: FeeLevel | null
  maxFee: string | null
  by: string
  authorisation: Personal<Authorisation>
}

/** Those under way by id, and how those ended that ended last. */
export type Transfers = { readonly [transferId: string]: Transfer }
export type EndedTransfers = { readonly [transferId: string]: End }

export const latestOf = ({ transactions }: Transfer): Transaction | undefined => transactions.at(-1)

/** What the transactions of a transfer use up, and no other may. */
export const conflictsOf = ({ transactions }: Transfer): string[] => transactions.flatMap(({ conflicts }) => conflicts)

/** Whether a transaction uses up what another one could, too. A `message:` is nothing but the transaction itself, which dies of age. */
export const isContended = (conflicts: readonly string[]): boolean => conflicts.some((conflict) => !conflict.startsWith('message:'))
