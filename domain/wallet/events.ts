import type { WalletPolicy } from './policy.ts'

/** A client's public key, as a JWK with a `kid`; its intents are what parties will act on. */
export type ClientKey = { kid: string; kty: 'OKP' | 'EC'; crv: 'Ed25519' | 'P-256'; x: string; y?: string }

export type WalletEvent =
  | {
      type: 'WalletCreated'
      data: { walletId: string; tenant: string; name: string; clientKeys: readonly ClientKey[]; policy: WalletPolicy }
    }
  | { type: 'KeyAttached'; data: { walletId: string; keyId: string; scheme: string; publicKey: string } }
  | { type: 'PolicyChanged'; data: { walletId: string; policy: WalletPolicy } }
  | { type: 'WalletFrozen'; data: { walletId: string; reason: string } }
  | { type: 'WalletUnfrozen'; data: { walletId: string; reason: string } }

/** Stream of a wallet. */
export const walletStream = (walletId: string) => `wallet-${walletId}`
export const WALLET_STREAMS = 'wallet-'
