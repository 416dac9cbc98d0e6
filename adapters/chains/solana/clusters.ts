/** By CAIP-2 reference: the first 32 characters of the genesis hash. A local cluster has another one each time, and is called by a name instead. */
export const CLUSTERS: { readonly [reference: string]: string } = {
  '5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp': 'Solana',
  EtWTRABZaYq6iMfeYKouRu166VU2xqa1: 'Solana devnet',
  '4uhcVJyU9pJkvQyS88uRDiswHXSCkY3z': 'Solana testnet',
  localnet: 'Local Solana cluster',
}
