import { DomainError, type DomainErrorCode } from '../../../domain/domain-error.ts'
import { walletStream } from '../../../domain/wallet/events.ts'
import type { TransferCommand } from '../../../domain/wallet/transfers/commands.ts'
import type { Transfer } from '../../../domain/wallet/transfers/transfer.ts'
import { type ExistingWallet, requireWallet, type WalletCommand, wallet } from '../../../domain/wallet/wallet.ts'
import type { Loaded } from '../../aggregate.ts'
import { execute } from '../../execute.ts'
import { type AggregateLog, load } from '../../load.ts'
import { inSequence } from '../in-sequence.ts'
import { inAnswerTo } from '../process.ts'
import type { Payer, UnderWay } from './under-way.ts'

const NAME = 'transfers'

/** Somebody else has moved the transfer on, or the wallet was frozen: there will be another turn if there is anything left to do. */
const OVERTAKEN: readonly DomainErrorCode[] = [
  'transfer_not_found',
  'transfer_terminal',
  'transfer_out_of_order',
  'transfer_too_early',
  'conflict_taken',
  'wallet_frozen',
]

/** A wallet in a turn of one of its payers: what is true of the transfers, and what is written down of them. */
export type WalletBook = {
  wallet(): ExistingWallet
  /** Those under way of the payer, in the order in which they were asked for. */
  transfers(): readonly Transfer[]
  /** The transfer as it is now; undefined when it has ended. */
  transfer(transferId: string): Transfer | undefined
  /**
   * All in one step, on the wallet as it is. False when somebody was first with something that makes them meaningless.
   * @throws DomainError when they are refused for another reason; Unavailable
   */
  carryOut(transferId: string, commands: readonly TransferCommand[]): Promise<boolean>
}

export async function openWalletBook(log: AggregateLog, underWay: UnderWay, { walletId, accountId }: Payer): Promise<WalletBook> {
  const aggregate = { decider: inSequence(wallet), stream: walletStream(walletId) }
  let latest: Loaded<typeof wallet.initial> = await load(log, aggregate)
  const current = () => requireWallet(latest.state)

  return {
    wallet: current,
    transfers: () => Object.values(current().transfers).filter((transfer) => transfer.accountId === accountId),
    transfer: (transferId) => current().transfers[transferId],
    async carryOut(transferId, commands) {
      const requested = underWay.requested(transferId)
      // It has been read to have ended meanwhile.
      if (commands.length === 0 || !requested) return false
      try {
        const decided: readonly WalletCommand[] = commands
        latest = await execute(log, aggregate, () => decided, inAnswerTo(requested, NAME), latest)
        return true
      } catch (error) {
        if (!(error instanceof DomainError && OVERTAKEN.includes(error.code))) throw error
        latest = await load(log, aggregate)
        return false
      }
    },
  }
}
