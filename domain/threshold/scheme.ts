/** Signature schemes that keys can be generated for. */
export const SCHEMES = ['frost-ed25519', 'frost-secp256k1-tr', 'dkls23-secp256k1'] as const
export type Scheme = (typeof SCHEMES)[number]

/** Most parties that can share one key. */
export const MAX_PARTIES = 7
