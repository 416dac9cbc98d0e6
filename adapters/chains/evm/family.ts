import type { Chain, ChainFamily } from '../../../domain/ports/chain.ts'
import { readAsset } from '../asset.ts'
import type { OpenNode } from '../open-node.ts'
import { addressOf, readAddress } from './address.ts'
import { NETWORK_IDS, networkOf } from './networks.ts'

/** Ethereum and what works like it: `eip155:<chain id>`. */
export const family: ChainFamily = {
  builtIn: NETWORK_IDS,
  chain(reference) {
    if (!/^[1-9]\d*$/.test(reference) || !Number.isSafeInteger(Number(reference))) return undefined
    const { name, coin, feeCeiling } = networkOf(reference)
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

/** Loads what talks to nodes with the first chain that has any. */
export const openNode: OpenNode = async (...of) => (await import('./node.ts')).openNode(...of)
