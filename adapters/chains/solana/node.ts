import type { Chain } from '../../../domain/ports/chain.ts'
import type { ChainNode } from '../../../domain/ports/chain-node.ts'
import { tokensIn } from './accounts.ts'
import { type BuilderOptions, builderOf } from './building.ts'
import { type Call, clusterOf } from './cluster.ts'
import { depositsSince } from './deposits.ts'
import { tokenAccountOf } from './programs.ts'
import { depth, statusOf } from './status.ts'

export type SolanaNodeOptions = {
  readonly chain: Pick<Chain, 'id' | 'nativeAsset' | 'feeCeiling'>
  readonly confirmations: number
  readonly finality: number
  readonly call: Call
  readonly nonceAccounts: BuilderOptions['nonceAccounts']
  close(): Promise<void>
}

/** A cluster of Solana, over the JSON-RPC of its nodes. Heights are slots, of which some have no block. */
export function solanaNode({ chain, confirmations, finality, call, nonceAccounts, close }: SolanaNodeOptions): ChainNode {
  const cluster = clusterOf(call)
  return {
    chain: chain.id,
    confirmations,
    finality,
    ...builderOf({ chain, cluster, nonceAccounts }),
    broadcast: ({ raw }) => cluster.send(raw),
    status: (transaction) => statusOf(cluster, transaction, finality),
    nextNonce: async () => null,

    async balance(address, asset) {
      const { lamports, slot } = await cluster.balance(address)
      const block = { height: slot, hash: (await cluster.blockhash(slot)) ?? '' }
      if (asset === chain.nativeAsset) return { amount: lamports, block }
      const account = await cluster.account(tokenAccountOf(address, asset.slice(`${chain.id}/token:`.length)), 'confirmed')
      return { amount: account ? tokensIn(account.data) : 0n, block }
    },

    deposits: (addresses, cursor) => depositsSince(chain, cluster, addresses, cursor),

    async standing({ hash }) {
      const { state, at } = await cluster.signature(hash)
      const blockhash = state?.isConfirmed && !state.hasFailed ? await cluster.blockhash(state.slot) : null
      return state && blockhash ? { block: { height: state.slot, hash: blockhash }, confirmations: depth(state.slot, at) } : null
    },

    close,
  }
}
