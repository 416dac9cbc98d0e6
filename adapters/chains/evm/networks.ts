/** What an EVM chain has of its own. */
export type Network = {
  /** For people. */
  readonly name: string
  /** In the registry of SLIP-44. */
  readonly coin: number
  /** See `Chain.feeCeiling`. */
  readonly feeCeiling: bigint
  /** See `ChainNode`. */
  readonly confirmations: number
  readonly finality: number
  readonly pollMs: number
  /** Wei per gas that validators want at least, beyond the base fee. */
  readonly minimumTip: bigint
  /** Hundredths of what a node estimates that a transaction may use. */
  readonly gasMargin: bigint
  /** A transfer that needs more than this is none that is meant. */
  readonly maxGas: bigint
}

const GWEI = 10n ** 9n

const ETHEREUM: Network = {
  name: 'Ethereum',
  coin: 60,
  feeCeiling: 10n ** 17n,
  confirmations: 12,
  finality: 64,
  pollMs: 4_000,
  minimumTip: 1_000_000n,
  gasMargin: 125n,
  maxGas: 500_000n,
}

/** By chain id. */
const NETWORKS: { readonly [chainId: string]: Network } = {
  1: ETHEREUM,
  // Nodes drop what gives validators less than 25 gwei; reorganisations of dozens of blocks have happened. The coin is worth much less than ether.
  137: {
    ...ETHEREUM,
    name: 'Polygon',
    coin: 966,
    feeCeiling: 10n ** 19n,
    confirmations: 32,
    finality: 256,
    pollMs: 2_000,
    minimumTip: 30n * GWEI,
  },
  31337: { ...ETHEREUM, name: 'Local EVM node', confirmations: 1, finality: 1, pollMs: 250 },
  // Publishing on Ethereum is charged as gas, whose amount moves with the price there; priority fees are not taken.
  42161: {
    ...ETHEREUM,
    name: 'Arbitrum One',
    confirmations: 20,
    finality: 4_800,
    pollMs: 1_000,
    minimumTip: 0n,
    gasMargin: 150n,
    maxGas: 10_000_000n,
  },
  11155111: { ...ETHEREUM, name: 'Sepolia' },
}

export const NETWORK_IDS: readonly string[] = Object.keys(NETWORKS)

/** Any chain that does not stand here is one of ether, and like Ethereum. */
export const networkOf = (chainId: string): Network => NETWORKS[chainId] ?? { ...ETHEREUM, name: `EVM chain ${chainId}` }
