import type { Chain, ChainFamily } from '../../../domain/ports/chain.ts'
import { readAsset } from '../asset.ts'
import type { OpenNode } from '../open-node.ts'
import { addressOf, readAddress } from './address.ts'
import { NETWORKS } from './networks.ts'

/** In the registry of SLIP-44. That a network is for tests is in its id already. */
const BITCOIN = 0
/** A hundredth of a bitcoin. */
const FEE_CEILING = 1_000_000n

/** Bitcoin and its test networks: `bip122:<first half of the genesis hash>`. Keys of FROST have P2TR addresses, those of ECDSA P2WPKH. */
export const family: ChainFamily = {
  builtIn: Object.keys(NETWORKS),
  chain(reference) {
    const network = Object.hasOwn(NETWORKS, reference) ? NETWORKS[reference] : undefined
    if (!network) return undefined
    const { name, parameters } = network
    const id = `bip122:${reference}`
    const nativeAsset = `${id}/slip44:${BITCOIN}`
    const chain: Chain = {
      id,
      name,
      schemes: ['frost-secp256k1-tr', 'dkls23-secp256k1'],
      nativeAsset,
      feeCeiling: FEE_CEILING,
      hasNonces: false,
      transactions: async () => (await import('./transactions.ts')).transactionsOf(chain, parameters),
      addressOf: (scheme, publicKey) => addressOf(parameters, scheme, publicKey),
      readAddress: (text, pointer) => readAddress(parameters, text, pointer),
      readAsset: (asset, pointer) => readAsset({ id, nativeAsset }, undefined, asset, pointer),
    }
    return chain
  },
}

export const openNode: OpenNode = async (chain, settings, observer) => {
  const [, reference = ''] = chain.id.split(':')
  return (await import('./open-node.ts')).openBitcoinNode(chain, NETWORKS[reference]!, settings, observer)
}
