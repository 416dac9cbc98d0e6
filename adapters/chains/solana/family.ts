import type { Chain, ChainFamily } from '../../../domain/ports/chain.ts'
import { readAsset } from '../asset.ts'
import { addressOf, readAddress } from './address.ts'

/** In the registry of SLIP-44. */
const SOL = 501
/** A hundredth of a SOL; opening an account for tokens at the receiver costs a fifth of that. */
const FEE_CEILING = 10_000_000n

/** By CAIP-2 reference: the first 32 characters of the genesis hash. A local cluster has another one each time, and is called by a name instead. */
const CLUSTERS: { readonly [reference: string]: string } = {
  '5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp': 'Solana',
  EtWTRABZaYq6iMfeYKouRu166VU2xqa1: 'Solana devnet',
  '4uhcVJyU9pJkvQyS88uRDiswHXSCkY3z': 'Solana testnet',
  localnet: 'Local Solana cluster',
}

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
