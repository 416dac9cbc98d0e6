/** What the outside must provide to know who speaks. */

/** Who signs: a party or a coordinator, with an Ed25519 key that never leaves where it is kept. */
export interface Identity {
  readonly id: string
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** 64 bytes (RFC 8032). @throws Unavailable when the token that holds the key does not answer */
  sign(message: Uint8Array): Promise<Uint8Array>
}

/** Public keys of a party: Ed25519, which it signs with, and X25519, which tells who sealed. 32 bytes each. */
export type PartyKeys = { readonly signing: Uint8Array; readonly sealing: Uint8Array }

/** Who belongs to this deployment. Pinned: what it does not name does not exist. */
export interface Registry {
  readonly parties: ReadonlyMap<string, PartyKeys>
  /** Ed25519 public keys by coordinator id. */
  readonly coordinators: ReadonlyMap<string, Uint8Array>
}

/** Whether an Ed25519 signature holds. Never throws: whatever is malformed does not. */
export type VerifyIdentity = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean
