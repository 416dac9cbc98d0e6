import { latestOf } from '../../../domain/wallet/transfers/transfer.ts'
import type { WalletBook } from './wallet-book.ts'

/** Ends what was not approved, or could not be built, in time; what was reserved is given back. */
export async function expireTransfers(book: WalletBook): Promise<void> {
  const now = new Date()
  for (const transfer of book.transfers()) {
    const { transferId, deadline } = transfer
    if (latestOf(transfer) || Date.parse(deadline) > now.getTime()) continue
    await book.carryOut(transferId, [{ type: 'ExpireTransfer', transferId, now: now.toISOString() }])
  }
}
