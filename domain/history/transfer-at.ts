import type { WalletEvent } from '../wallet/events.ts'
import type { Transfer, TransferStatus } from '../wallet/transfers/transfer.ts'
import { type Wallet, wallet } from '../wallet/wallet.ts'
import type { Evolution } from './stream-at.ts'

/** A wallet, and one of its transfers, which the wallet itself forgets when it has ended. */
export type WalletWithTransfer = { readonly wallet: Wallet; readonly transfer: TransferAt | undefined }

export type TransferAt = Omit<Transfer, 'status'> & { readonly status: TransferStatus }

/** A transfer from the events of its wallet's stream. */
export const transferIn = (transferId: string): Evolution<WalletWithTransfer, WalletEvent> => ({
  initial: { wallet: wallet.initial, transfer: undefined },
  evolve(before, event) {
    const after = wallet.evolve(before.wallet, event)
    if (after.status === 'absent') return { ...before, wallet: after }
    const { transfers, ended } = after
    const end = ended[transferId]
    const left = before.transfer && end ? { ...before.transfer, status: end } : before.transfer
    return { wallet: after, transfer: transfers[transferId] ?? left }
  },
})
