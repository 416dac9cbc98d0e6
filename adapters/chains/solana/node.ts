import { base64 } from '@scure/base'
import type { Chain } from '../../../domain/ports/chain.ts'
import { ChainFailure, type ChainNode, type TransactionStatus } from '../../../domain/ports/chain-node.ts'
import { EndpointFailure, RpcRefusal } from '../rpc/failures.ts'
import type { Rpc } from '../rpc/rpc.ts'
import { standingOf } from '../rpc/standing.ts'
import { tokensIn } from './accounts.ts'
import { type BuilderOptions, builderOf } from './building.ts'
import { type Cluster, clusterOf } from './cluster.ts'
import { depositsSince } from './deposits.ts'
import { failureOf } from './failures.ts'
import { tokenAccountOf } from './programs.ts'
import { depth, statusOf } from './status.ts'

export type SolanaNodeOptions = {
  readonly chain: Pick<Chain, 'id' | 'nativeAsset' | 'feeCeiling'>
  readonly confirmations: number
  readonly finality: number
  readonly pollMs: number
  readonly rpc: Rpc
  readonly nonceAccounts: BuilderOptions['nonceAccounts']
}

/** A cluster of Solana, over the JSON-RPC of its nodes. Heights are slots, of which some have no block. */
export function solanaNode({ chain, confirmations, finality, pollMs, rpc, nonceAccounts }: SolanaNodeOptions): ChainNode {
  /** All that is asked for one purpose is asked of one node. */
  const ask = <T>(work: (cluster: Cluster) => Promise<T>): Promise<T> => rpc.ask((call) => work(clusterOf(call))).catch(unreadable)

  async function heldBy(cluster: Cluster, address: string, asset: string): Promise<{ amount: bigint; slot: bigint }> {
    if (asset === chain.nativeAsset) return cluster.balance(address)
    const { account, slot } = await cluster.accountAt(tokenAccountOf(address, asset.slice(`${chain.id}/token:`.length)), 'confirmed')
    return { amount: account ? tokensIn(account.data) : 0n, slot }
  }

  return {
    chain: chain.id,
    confirmations,
    finality,
    pollMs,
    quote: (wanted) => ask((cluster) => builderOf({ chain, cluster, nonceAccounts }).quote(wanted)),
    build: (wanted, options) => ask((cluster) => builderOf({ chain, cluster, nonceAccounts }).build(wanted, options)),

    async broadcast({ raw }) {
      try {
        await rpc.send('sendTransaction', [base64.encode(raw), { encoding: 'base64', preflightCommitment: 'confirmed' }])
      } catch (error) {
        const failure = error instanceof RpcRefusal ? failureOf(error) : error
        if (!(failure instanceof ChainFailure && failure.code === 'already_known')) throw failure
      }
    },

    async status(transaction) {
      const work = (cluster: Cluster) => statusOf(cluster, transaction, finality)
      const status = await ask(work)
      if (status.state !== 'impossible') return status
      // Another one may be made for it, so one node's word is not enough.
      const told: readonly TransactionStatus[] = await rpc.askAll((call) => work(clusterOf(call))).catch(unreadable)
      return told.find(({ state }) => state !== 'impossible') ?? status
    },

    nextNonce: async () => null,

    balance: (address, asset) =>
      ask(async (cluster) => {
        const { amount, slot } = await heldBy(cluster, address, asset)
        const hash = await cluster.blockhash(slot)
        if (hash === null) throw new EndpointFailure('unable', false)
        return { amount, block: { height: slot, hash } }
      }),

    deposits: (addresses, cursor) => ask((cluster) => depositsSince(chain, cluster, addresses, cursor)),

    standing: ({ hash }) =>
      standingOf(rpc, async (call) => {
        const cluster = clusterOf(call)
        const { state, at } = await cluster.signature(hash)
        const blockhash = state?.isConfirmed && !state.hasFailed ? await cluster.blockhash(state.slot) : null
        return state && blockhash ? { block: { height: state.slot, hash: blockhash }, confirmations: depth(state.slot, at) } : null
      }).catch(unreadable),

    depth: ({ height, hash }) =>
      ask(async (cluster) => {
        const newest = await cluster.slot()
        // The node has not come as far: what it does not know is not undone.
        if (newest < height) throw new EndpointFailure('unable', false)
        return (await cluster.hasBlock(height)) && (await cluster.blockhash(height)) === hash ? depth(height, newest) : null
      }),

    close: async () => rpc.close(),
  }
}

/** Reads are refused by a node that has none of what the others have: it is as good as none. */
function unreadable(error: unknown): never {
  if (error instanceof RpcRefusal) throw new ChainFailure('chain_unavailable', `the node refuses to be read (${error.code})`, true)
  throw error
}
