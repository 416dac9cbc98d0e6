import { type BTC_NETWORK, NETWORK, TEST_NETWORK } from '@scure/btc-signer/utils.js'

export type Network = { readonly name: string; readonly parameters: BTC_NETWORK }

const REGTEST: BTC_NETWORK = { ...TEST_NETWORK, bech32: 'bcrt' }

/** By the first half of the hash of their first block, which CAIP-2 names them by (namespace `bip122`). Test networks but regtest share their addresses. */
export const NETWORKS: { readonly [genesis: string]: Network } = {
  '000000000019d6689c085ae165831e93': { name: 'Bitcoin', parameters: NETWORK },
  '000000000933ea01ad0ee984209779ba': { name: 'Bitcoin testnet 3', parameters: TEST_NETWORK },
  '00000000da84f2bafbbc53dee25a72ae': { name: 'Bitcoin testnet 4', parameters: TEST_NETWORK },
  '00000008819873e925422c1ff0f99f7c': { name: 'Bitcoin signet', parameters: TEST_NETWORK },
  '0f9188f13cb7b2c71f2a335e3a4fc328': { name: 'Bitcoin regtest', parameters: REGTEST },
}
