import type { Chain, ChainFamily } from '../../../domain/ports/chain.ts'
import { readAsset } from '../asset.ts'
import type { OpenNode } from '../open-node.ts'
import { addressOf, readAddress } from './address.ts'
import { CLUSTERS } from './clusters.ts'

/** In the registry of SLIP-44. */
const SOL = 501
/** A hundredth of a SOL; opening an account for tokens at the receiver costs a fifth of that. */
const FEE_CEILING = 10_000_000n

export const family: ChainFamily = {
  builtIn: Object.keys(CLUSTERS),
  chain(reference) {
    if (!Object.hasOwn(CLUSTERS, reference) && !/^[1-9A-HJ-NP-Za-km-z]{32}$/.test(reference)) return undefined
    const id = `solana:${reference}`
    const nativeAsset = `${id}/slip44:${SOL}`
    const chain: Chain = {
      id,
      name: CLUSTERS[reference] ?? `Solana cluster ${reference}`,
      schemes: ['frost-ed25519'],
      nativeAsset,
      feeCeiling: FEE_CEILING,
      hasNonces: false,
      transactions: async () => (await import('./transactions.ts')).transactionsOf(chain),
      addressOf: (_, publicKey) => addressOf(publicKey),
      readAddress,
      readAsset: (asset, pointer) => readAsset({ id, nativeAsset }, { namespace: 'token', readAddress }, asset, pointer),
    }
    return chain
  },
}

/** Loads what talks to nodes with the first cluster that has any. */
export const openNode: OpenNode = async (...of) => (await import('./open-node.ts')).openSolanaNode(...of)
