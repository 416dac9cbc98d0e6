import { identityOf } from './ending.ts'
import type { TransferEvent } from './events.ts'
import { type Holder, outOfOrder } from './holdings.ts'
import { latestOf, type Transfer } from './transfer.ts'

/** Nothing when it is known already, or in a block. @throws DomainError `transfer_out_of_order` unless a transaction was built */
export function markStuck(
  holder: Holder,
  transfer: Transfer,
  { since, reason }: { since: string; reason: string },
): readonly TransferEvent[] {
  if (transfer.stuck || transfer.mined) return []
  if (!latestOf(transfer)) throw outOfOrder(transfer)
  return [{ type: 'TransferStuck', data: { ...identityOf(holder, transfer), since, reason } }]
}

/** Back to where its newest transaction is. */
export function unmarkStuck(holder: Holder, transfer: Transfer): readonly TransferEvent[] {
  const latest = latestOf(transfer)
  if (!transfer.stuck || !latest) return []
  const status = latest.raw === null ? 'signing' : latest.isBroadcast ? 'broadcasting' : 'signed'
  return [{ type: 'TransferUnstuck', data: { ...identityOf(holder, transfer), status } }]
}
