import type { ChainFailure, ChainNode, WantedTransaction } from '../../domain/ports/chain-node.ts'

/** A node that quotes, and is asked nothing else. */
export type QuotingNode = ChainNode & {
  /** What it was asked to quote. */
  readonly asked: readonly WantedTransaction[]
  /** What it answers from now on. */
  answer(says: bigint | ChainFailure): void
}

export function quotingNode(chain: string, fee: bigint): QuotingNode {
  const asked: WantedTransaction[] = []
  let said: bigint | ChainFailure = fee
  const unasked = () => Promise.reject(new Error('nobody should ask this'))
  return {
    chain,
    confirmations: 1,
    finality: 2,
    pollMs: 1_000,
    asked,
    answer(says) {
      said = says
    },
    async quote(wanted) {
      asked.push(wanted)
      if (typeof said === 'bigint') return { fee: said }
      throw said
    },
    build: unasked,
    broadcast: unasked,
    status: unasked,
    nextNonce: unasked,
    balance: unasked,
    deposits: unasked,
    standing: unasked,
    depth: unasked,
    async close() {},
  }
}
