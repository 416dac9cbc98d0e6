import { latestOf } from '../../../domain/wallet/transfers/transfer.ts'
import type { WalletBook } from './wallet-book.ts'

/**
 * Ends what was not approved, or could not be built, in time, and gives back what was reserved; and judges by the policy in force what waits for approvals that an
 * earlier one wanted.
 */
export async function reviewTransfers(book: WalletBook): Promise<void> {
  const now = new Date()
  for (const transfer of book.transfers()) {
    const { transferId, deadline, status, policyVersion } = transfer
    if (latestOf(transfer)) continue
    if (Date.parse(deadline) <= now.getTime())
      await book.carryOut(transferId, [{ type: 'ExpireTransfer', transferId, now: now.toISOString() }])
    else if (status === 'pending_approval' && policyVersion !== book.wallet().policyVersion)
      await book.carryOut(transferId, [{ type: 'ReviseTransfer', transferId }])
  }
}
