import type { Chain, ChainFamily } from '../../../domain/ports/chain.ts'
import { readAsset } from '../asset.ts'
import { addressOf, readAddress } from './address.ts'

/** Ether, in the registry of SLIP-44; a chain of another coin says which. */
const ETHER = 60

/** A tenth of a coin, where that is one of much worth. */
const FEE_CEILING = 10n ** 17n

/** By chain id. Any other chain is one of ether, too, until it stands here. */
const NETWORKS: { readonly [chainId: string]: { readonly name: string; readonly coin?: number; readonly feeCeiling?: bigint } } = {
  1: { name: 'Ethereum' },
  137: { name: 'Polygon', coin: 966, feeCeiling: 10n ** 19n },
  31337: { name: 'Local EVM node' },
  42161: { name: 'Arbitrum One' },
  11155111: { name: 'Sepolia' },
}

/** Ethereum and what works like it: `eip155:<chain id>`. */
export const family: ChainFamily = {
  builtIn: Object.keys(NETWORKS),
  chain(reference) {
    if (!/^[1-9]\d*$/.test(reference) || !Number.isSafeInteger(Number(reference))) return undefined
    const { name, coin = ETHER, feeCeiling = FEE_CEILING } = NETWORKS[reference] ?? { name: `EVM chain ${reference}` }
    const id = `eip155:${reference}`
    const nativeAsset = `${id}/slip44:${coin}`
    const chain: Chain = {
      id,
      name,
      schemes: ['dkls23-secp256k1'],
      nativeAsset,
      feeCeiling,
      hasNonces: true,
      transactions: async () => (await import('./transactions.ts')).transactionsOf(chain),
      addressOf: (_, publicKey) => addressOf(publicKey),
      readAddress,
      readAsset: (asset, pointer) => readAsset({ id, nativeAsset }, { namespace: 'erc20', readAddress }, asset, pointer),
    }
    return chain
  },
}
