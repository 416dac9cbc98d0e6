import { DomainError } from '../../domain-error.ts'
import type { TransferCommand } from './commands.ts'
import { ended, identityOf } from './ending.ts'
import type { TransferEvent } from './events.ts'
import { type Holder, outOfOrder, requireUnfrozen } from './holdings.ts'
import { isContended, latestOf, type Replacement, type Transaction, type Transfer } from './transfer.ts'

/**
 * Before anything is built the transfer just ends. Afterwards only the chain can undo it, by another transaction that uses up the same.
 * @throws DomainError `not_replaceable`, `replacement_under_way`, `transfer_out_of_order`, `wallet_frozen`
 */
export function cancelTransfer(
  holder: Holder,
  transfer: Transfer,
  { maxFee, by, authorisation }: Extract<TransferCommand, { type: 'CancelTransfer' }>,
): readonly TransferEvent[] {
  const latest = latestOf(transfer)
  if (!latest) {
    const data = { ...identityOf(holder, transfer), accountId: transfer.accountId, by, mined: null, spent: [] }
    return ended(holder, transfer, { type: 'TransferCancelled', data })
  }
  if ((latest.as === 'cancellation' && !isGivenUp(transfer, latest)) || transfer.replacement?.as === 'cancellation') return []
  return wanted(holder, transfer, latest, { as: 'cancellation', fee: null, maxFee, by, authorisation })
}

/** @throws DomainError as `cancelTransfer`; `transfer_out_of_order` too before there is a signed transaction to be accelerated */
export function accelerateTransfer(
  holder: Holder,
  transfer: Transfer,
  { fee, maxFee, by, authorisation }: Extract<TransferCommand, { type: 'AccelerateTransfer' }>,
): readonly TransferEvent[] {
  const latest = latestOf(transfer)
  const isUnsigned = latest?.raw === null && latest.replaces === null
  if (!latest || isUnsigned || latest.as === 'cancellation') throw outOfOrder(transfer)
  return wanted(holder, transfer, latest, { as: 'acceleration', fee, maxFee, by, authorisation })
}

/** Nothing unless it waits to be built. */
export function failReplacement(holder: Holder, transfer: Transfer, code: string): readonly TransferEvent[] {
  if (!transfer.replacement) return []
  const { as } = transfer.replacement
  return [{ type: 'TransferReplacementFailed', data: { ...identityOf(holder, transfer), as, code } }]
}

function wanted(holder: Holder, transfer: Transfer, latest: Transaction, replacement: Replacement): readonly TransferEvent[] {
  requireUnfrozen(holder)
  if (transfer.mined) throw outOfOrder(transfer)
  if (!isContended(latest.conflicts))
    throw new DomainError('not_replaceable', 'the chain has no way to put another transaction in its place')
  if (transfer.replacement || (latest.replaces !== null && latest.raw === null && !isGivenUp(transfer, latest)))
    throw new DomainError('replacement_under_way', 'the transaction is being replaced already')
  return [{ type: 'TransferReplacementRequested', data: { ...identityOf(holder, transfer), ...replacement } }]
}

/** Nobody signs it any more. Some parties may have, so what takes its place uses up the same. */
const isGivenUp = ({ stuck }: Transfer, { raw }: Transaction): boolean => raw === null && stuck !== null
