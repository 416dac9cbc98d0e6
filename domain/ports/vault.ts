/** What the outside must provide to keep secrets at rest: an HSM token or an encrypted file. */

/** The sealed bytes were altered, belong to other associated data, or to another vault. */
export class UnsealFailed extends Error {
  override readonly name = 'UnsealFailed'
}

/** An Ed25519 key that never leaves the vault. */
export type VaultKey = {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** 64 bytes (RFC 8032). @throws Unavailable */
  sign(message: Uint8Array): Promise<Uint8Array>
}

export interface Vault {
  /** For people: which vault it is, e.g. `pkcs11 (SoftHSM v2, token quorate-party-1)`. */
  readonly description: string

  /** Authenticated encryption under a key that never leaves the vault; `associatedData` must be given again to open. */
  seal(plaintext: Uint8Array, associatedData: Uint8Array): Promise<Uint8Array>

  /** @throws UnsealFailed. The caller wipes the plaintext after use. */
  open(sealed: Uint8Array, associatedData: Uint8Array): Promise<Uint8Array>

  /** The vault's key for signing, made when it is first asked for; undefined where the vault cannot hold one. @throws Unavailable */
  signingKey(): Promise<VaultKey | undefined>

  /** Resolves when keys can be opened. */
  ping(): Promise<void>

  close(): Promise<void>
}
