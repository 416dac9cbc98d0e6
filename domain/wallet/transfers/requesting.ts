import { DomainError } from '../../domain-error.ts'
import { noted } from '../../policy/history.ts'
import type { RequestTransfer } from './commands.ts'
import type { Funds, RequestedTransfer, TransferEvent } from './events.ts'
import { requireAvailable, together } from './funds.ts'
import { type Holder, requireUnfrozen, statusOf } from './holdings.ts'
import { judged, movedBy, requireAllowed, requirementsOf } from './judgement.ts'

/** Transfers of a wallet that may be under way. */
export const MAX_TRANSFERS = 1_000
/** Seconds in which a transfer must be built, once it may be; people who have to approve it get a day. */
const BUILD_SECONDS = 60 * 60
const APPROVAL_SECONDS = 24 * 60 * 60

/**
 * Funds are set aside in the same breath, so that no two transfers count on the same.
 * @throws DomainError `intent_reused`, `too_many_transfers`, `policy_denied`, `too_few_parties`, `insufficient_funds`, `wallet_frozen`
 */
export function requestTransfer(holder: Holder, { type: _, now, holders, ...wanted }: RequestTransfer): readonly TransferEvent[] {
  requireUnfrozen(holder)
  const { walletId, transfers, funds, moved } = holder
  const { transferId, accountId } = wanted
  if (statusOf(holder, transferId)) throw new DomainError('intent_reused', 'there is a transfer by this intent already')
  const requestedAt = Date.parse(now)
  const isFull = Object.keys(transfers).length >= MAX_TRANSFERS || !noted(moved, movedBy(wanted, requestedAt))
  if (isFull) throw new DomainError('too_many_transfers', 'the wallet has too many transfers under way, or of too many assets')
  const decision = judged(holder, wanted, requestedAt)
  requireAllowed(decision)
  const { signers } = decision.requires
  if (signers > holders) throw new DomainError('too_few_parties', `${signers} must sign, and ${holders} have shares of the key`, '/amount')
  const reserved = reservedFor(wanted)
  requireAvailable(funds, accountId, reserved, ['/amount', '/fee'])
  const requires = requirementsOf(decision, requestedAt)
  const seconds = decision.requires.delaySeconds + (requires.approvals ? APPROVAL_SECONDS : BUILD_SECONDS)
  const deadline = new Date(requestedAt + seconds * 1000).toISOString()
  const status = requires.approvals ? 'pending_approval' : 'submitted'
  return [
    { type: 'TransferRequested', data: { walletId, ...wanted, decision, requires, status, requestedAt: now, deadline } },
    { type: 'FundsReserved', data: { walletId, transferId, accountId, reserved } },
  ]
}

/** The amount first, and the fee where it is of another asset. */
const reservedFor = ({ asset, amount, feeAsset, quotedFee }: RequestedTransfer): Funds[] =>
  together([
    { asset, amount },
    { asset: feeAsset, amount: quotedFee },
  ])
