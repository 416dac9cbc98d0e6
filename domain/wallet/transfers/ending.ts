import { DomainError } from '../../domain-error.ts'
import type { TransferCommand } from './commands.ts'
import type { Funds, TransferEvent } from './events.ts'
import { without } from './funds.ts'
import { type Holder, outOfOrder } from './holdings.ts'
import { conflictsOf, isContended, latestOf, type Transfer } from './transfer.ts'

type EndEvent = Extract<
  TransferEvent,
  {
    type:
      | 'TransferFinalized'
      | 'TransferReverted'
      | 'TransferCancelled'
      | 'TransferReplaced'
      | 'TransferDropped'
      | 'TransferFailed'
      | 'TransferRejected'
      | 'TransferExpired'
      | 'TransferApprovalRejected'
  }
>

/** The end, and with it whatever is still reserved and was not spent; a nonce that nobody can have signed for is free for the next transfer. */
export function ended({ walletId }: Holder, transfer: Transfer, event: EndEvent, spent: readonly Funds[] = []): readonly TransferEvent[] {
  const { transferId, accountId, reserved, nonce } = transfer
  const released = without(reserved, spent)
  const freed = isUnsigned(transfer, event) ? nonce : null
  if (released.length === 0 && freed === null) return [event]
  return [event, { type: 'FundsReleased', data: { walletId, transferId, accountId, released, nonce: freed } }]
}

/** Whatever ends one that is built, but for a failure before anything was claimed, is the chain's word. */
const isUnsigned = (transfer: Transfer, { type }: EndEvent): boolean => !latestOf(transfer) || type === 'TransferFailed'

/** @throws DomainError `transfer_may_be_signed`, also when what others have signed can only be mined after it */
export function failTransfer(
  holder: Holder,
  transfer: Transfer,
  { code, rule, unclaimedUpTo }: Extract<TransferCommand, { type: 'FailTransfer' }>,
): readonly TransferEvent[] {
  const isSigned = transfer.transactions.some(({ raw }) => raw !== null)
  const isUnclaimed = unclaimedUpTo !== undefined && unclaimedUpTo === latestOf(transfer)?.version
  if (isSigned || (isContended(conflictsOf(transfer)) && !isUnclaimed))
    throw new DomainError('transfer_may_be_signed', 'what the transfer uses up may be claimed for it: it ends with a word of the chain')
  if (latestOf(transfer) && isWaitedFor(holder, transfer))
    throw new DomainError(
      'transfer_may_be_signed',
      'another transfer can only be mined once its nonce is used: it ends with a word of the chain',
    )
  return ended(holder, transfer, { type: 'TransferFailed', data: { ...identityOf(holder, transfer), code, rule } })
}

/** Whether a transaction of the account was built that counts on this transfer's nonce to be used before its own. */
const isWaitedFor = ({ transfers }: Holder, { transferId, accountId, nonce }: Transfer): boolean =>
  nonce !== null &&
  Object.values(transfers).some(
    (other) =>
      other.transferId !== transferId &&
      other.accountId === accountId &&
      other.nonce !== null &&
      BigInt(other.nonce) > BigInt(nonce) &&
      latestOf(other) !== undefined,
  )

export function rejectTransfer(holder: Holder, transfer: Transfer, code: string, rule: string | null): readonly TransferEvent[] {
  requireUnbuilt(transfer)
  return ended(holder, transfer, { type: 'TransferRejected', data: { ...identityOf(holder, transfer), code, rule } })
}

/** Nothing as long as there is time. */
export function expireTransfer(holder: Holder, transfer: Transfer, now: string): readonly TransferEvent[] {
  requireUnbuilt(transfer)
  const { deadline } = transfer
  if (Date.parse(now) < Date.parse(deadline)) return []
  return ended(holder, transfer, { type: 'TransferExpired', data: { ...identityOf(holder, transfer), deadline } })
}

/** @throws DomainError `transfer_out_of_order` unless a transaction was built */
export function replaceTransfer(holder: Holder, transfer: Transfer, by: string | null): readonly TransferEvent[] {
  requireBuilt(transfer)
  return ended(holder, transfer, { type: 'TransferReplaced', data: { ...identityOf(holder, transfer), by } })
}

/** @throws DomainError `transfer_out_of_order` unless a transaction was built */
export function dropTransfer(holder: Holder, transfer: Transfer, reason: string): readonly TransferEvent[] {
  requireBuilt(transfer)
  return ended(holder, transfer, { type: 'TransferDropped', data: { ...identityOf(holder, transfer), reason } })
}

export const identityOf = ({ walletId }: Holder, { transferId }: Transfer) => ({ walletId, transferId })

function requireUnbuilt(transfer: Transfer): void {
  if (latestOf(transfer)) throw outOfOrder(transfer)
}

function requireBuilt(transfer: Transfer): void {
  if (!latestOf(transfer)) throw outOfOrder(transfer)
}
