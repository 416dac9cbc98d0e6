import type { ChainFailure, ChainNode, WantedTransaction } from '../../domain/ports/chain-node.ts'

/** A node that quotes, and is asked nothing else. */
export type QuotingNode = ChainNode & {
  /** What it was asked to quote. */
  readonly asked: readonly WantedTransaction[]
  /** What it answers from now on: a fee, a failure, or nothing at all. */
  answer(with_: bigint | ChainFailure | 'nothing'): void
}

export function quotingNode(chain: string, fee: bigint): QuotingNode {
  const asked: WantedTransaction[] = []
  let says: bigint | ChainFailure | 'nothing' = fee
  const unasked = () => Promise.reject(new Error('nobody should ask this'))
  return {
    chain,
    confirmations: 1,
    finality: 2,
    pollMs: 1_000,
    asked,
    answer(with_) {
      says = with_
    },
    async quote(wanted) {
      asked.push(wanted)
      if (says === 'nothing') return new Promise(() => {})
      if (typeof says === 'bigint') return { fee: says }
      throw says
    },
    build: unasked,
    broadcast: unasked,
    status: unasked,
    nextNonce: unasked,
    balance: unasked,
    deposits: unasked,
    standing: unasked,
    async close() {},
  }
}
