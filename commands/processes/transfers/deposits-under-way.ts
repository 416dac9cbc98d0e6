import type { Deposit } from '../../../domain/ports/chain-node.ts'
import type { RecordedEvent } from '../../../domain/ports/event-log.ts'
import type { WalletEvent } from '../../../domain/wallet/events.ts'
import { grouped } from './grouped.ts'

/** A deposit that a reorganisation can still undo. */
export type UncertainDeposit = {
  walletId: string
  accountId: string
  /** As the node adapter knows it, but for the address; without a hash when it was only seen in the balance, in that block. */
  deposit: Omit<Deposit, 'to' | 'hash'> & { hash: string | null }
  isCredited: boolean
  /** The event by which it was found. */
  detected: RecordedEvent
}

/** Deposits that are not final, as far as the log has been read. */
export type DepositsUnderWay = {
  note(event: RecordedEvent, after: bigint | undefined): void
  /** By the hash of the block that they are in: they stand and fall with it. */
  inBlocks(chain: string): ReadonlyMap<string, readonly UncertainDeposit[]>
  /** It is final. */
  forget(deposit: UncertainDeposit): void
  oldest(): { after: bigint | undefined } | undefined
  readonly size: number
  /** Rises whenever one is found. */
  readonly found: number
}

type Tracked = UncertainDeposit & { chain: string; after: bigint | undefined }

export function depositsUnderWay(): DepositsUnderWay {
  /** In the order of the log. */
  const tracked = new Map<string, Tracked>()
  let found = 0
  const keyOf = ({ walletId, depositId }: { walletId: string; depositId: string }) => `${walletId}/${depositId}`

  return {
    note(recorded, after) {
      const event = recorded as RecordedEvent & WalletEvent
      switch (event.type) {
        case 'DepositDetected': {
          const { walletId, accountId, depositId, chain, hash, asset, amount, from, block } = event.data
          const at = { height: BigInt(block.height), hash: block.hash }
          const deposit = { id: depositId, hash, asset, amount: BigInt(amount), from, block: at }
          found++
          tracked.delete(keyOf(event.data))
          tracked.set(keyOf(event.data), { walletId, accountId, deposit, isCredited: false, detected: recorded, chain, after })
          return
        }
        case 'DepositCredited': {
          const deposit = tracked.get(keyOf(event.data))
          if (deposit) deposit.isCredited = true
          return
        }
        case 'DepositReverted':
          tracked.delete(keyOf(event.data))
      }
    },

    inBlocks: (chain) =>
      grouped(
        [...tracked.values()].filter((each) => each.chain === chain),
        ({ deposit }) => deposit.block.hash,
      ),
    forget: ({ walletId, deposit }) => void tracked.delete(keyOf({ walletId, depositId: deposit.id })),
    oldest: () => tracked.values().next().value,
    get found() {
      return found
    },
    get size() {
      return tracked.size
    },
  }
}
