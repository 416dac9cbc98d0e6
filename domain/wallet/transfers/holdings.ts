import { DomainError } from '../../domain-error.ts'
import type { History } from '../../policy/history.ts'
import type { WalletPolicy } from '../policy.ts'
import { type Deposits, NO_DEPOSITS } from './deposits.ts'
import type { Positions } from './funds.ts'
import type { NoncesOfAccounts } from './nonces.ts'
import type { EndedTransfers, Transfer, Transfers } from './transfer.ts'

/** What a wallet knows of its money and of what moves it. */
export type Holdings = {
  transfers: Transfers
  ended: EndedTransfers
  funds: Positions
  nonces: NoncesOfAccounts
  /** What its policy counts in its windows. */
  moved: History
  deposits: Deposits
}

/** The part of a wallet that transfers are decided by. */
export type Holder = Holdings & { walletId: string; status: 'open' | 'frozen'; policy: WalletPolicy; policyVersion: number }

export const NO_HOLDINGS: Holdings = { transfers: {}, ended: {}, funds: {}, nonces: {}, moved: [], deposits: NO_DEPOSITS }

/** @throws DomainError `transfer_terminal`, `transfer_not_found` */
export function requireTransfer({ transfers, ended }: Holdings, transferId: string): Transfer {
  const transfer = transfers[transferId]
  if (transfer) return transfer
  const end = ended[transferId]
  if (end) throw new DomainError('transfer_terminal', `the transfer is ${end}`)
  throw new DomainError('transfer_not_found', 'no such transfer')
}

/** Undefined for one that has been forgotten since it ended, or never was. */
export const statusOf = ({ transfers, ended }: Holdings, transferId: string) => transfers[transferId]?.status ?? ended[transferId]

/** @throws DomainError `wallet_frozen` */
export function requireUnfrozen({ status }: Holder): void {
  if (status === 'frozen') throw new DomainError('wallet_frozen', 'the wallet is frozen')
}

/** That what is wanted of a transfer is not for the step at which it is. */
export function outOfOrder({ status }: Pick<Transfer, 'status'>): DomainError {
  return new DomainError('transfer_out_of_order', `the transfer is ${status}`)
}
