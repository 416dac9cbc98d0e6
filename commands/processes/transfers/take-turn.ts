import type { Chains } from '../../../domain/ports/chain.ts'
import type { ChainNodes } from '../../../domain/ports/chain-node.ts'
import type { AggregateLog } from '../../load.ts'
import { buildTransactions } from './build-transactions.ts'
import { gatherSignatures } from './gather-signatures.ts'
import { type LookOptions, lookAtChain } from './look-at-chain.ts'
import { type PayerMemory, transferIn } from './payer-turn.ts'
import { reviewTransfers } from './review-transfers.ts'
import { sendTransactions } from './send-transactions.ts'
import { payerOf, type UnderWay } from './under-way.ts'
import { openWalletBook, type WalletBook } from './wallet-book.ts'

export type TurnOptions = LookOptions & {
  log: AggregateLog
  chains: Chains
  nodes: ChainNodes
  underWay: UnderWay
  looks: DueLooks
}

/** Payers of whom the chain is to be asked what has become of their transactions. */
export type DueLooks = {
  add(payer: string): void
  /** From this time on, in milliseconds since the epoch. */
  addAt(payer: string, time: number): void
  /** Whether it was there; it is not from then on. */
  take(payer: string): boolean
}

/**
 * Goes on with all transfers of a payer as far as that can be done now: each step is an event of the wallet, and what the next one is follows from these. So any
 * coordinator can go on from wherever another one was, and when two are at it at the same time one is told that the other was first.
 */
export function payerTurns({ log, chains, nodes, underWay, looks, stuckAfterMs }: TurnOptions): (payer: string) => Promise<void> {
  const memories = new Map<string, PayerMemory>()

  return async (key) => {
    const book = await openWalletBook(log, underWay, payerOf(key))
    await reviewTransfers(book)
    const [first] = book.transfers()
    if (!first) {
      memories.delete(key)
      return
    }
    const chain = chains.get(first.chain)
    const node = nodes.get(first.chain)
    if (!chain || !node) return
    const memory = memories.get(key) ?? { attempts: new Map(), sentAt: new Map() }
    memories.set(key, memory)
    forgetEnded(memory, book)
    const turn = { log, book, underWay, chain, node, codec: await chain.transactions(), memory }
    const isLookDue = looks.take(key)
    try {
      try {
        await gatherSignatures(turn)
        if (await sendTransactions(turn)) looks.add(key)
        await buildTransactions(turn)
        await gatherSignatures(turn)
      } finally {
        // Also when that failed: what the chain says may be just what is missing.
        if (isLookDue) {
          const nextAt = await lookAtChain(turn, { stuckAfterMs })
          if (nextAt !== undefined) looks.addAt(key, nextAt)
        }
      }
    } catch (error) {
      if (isLookDue) looks.add(key)
      throw error
    }
  }
}

function forgetEnded({ attempts, sentAt }: PayerMemory, book: WalletBook): void {
  for (const known of [attempts, sentAt]) for (const key of known.keys()) if (!book.transfer(transferIn(key))) known.delete(key)
}
