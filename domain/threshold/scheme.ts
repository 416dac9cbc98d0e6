/** Signature schemes that keys can be generated for. */
export const SCHEMES = ['frost-ed25519', 'frost-secp256k1-tr', 'dkls23-secp256k1'] as const
export type Scheme = (typeof SCHEMES)[number]

/** Whether its signatures are ECDSA over secp256k1, of a digest that any hash may have made. */
export const isEcdsa = (scheme: string): boolean => scheme === 'dkls23-secp256k1'

/** Fewest holders that sign: where they multiply with each other there is nothing that one could do alone. */
export const leastThreshold = (scheme: Scheme): number => (scheme === 'dkls23-secp256k1' ? 2 : 1)

/** Most parties that can share one key. */
export const MAX_PARTIES = 7
