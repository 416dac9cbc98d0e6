import type { Chain } from '../../../domain/ports/chain.ts'
import { type TransactionCodec, TransactionRefused } from '../../../domain/ports/transaction-codec.ts'

/** Transactions of one chain of this kind. */
export function transactionsOf({ id }: Pick<Chain, 'id'>): TransactionCodec {
  const refuse = () => {
    throw new TransactionRefused(`transactions of ${id} are not read yet`)
  }
  return { read: refuse, messages: refuse, attach: refuse }
}
