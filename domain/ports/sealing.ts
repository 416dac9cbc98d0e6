/** What the outside must provide to keep what one party says to another from everybody between them. */

/** The sealed bytes were altered, or were sealed to another key or in another context. */
export class OpenFailed extends Error {
  override readonly name = 'OpenFailed'
}

/** A fresh key pair; the private key never leaves it. */
export interface SealingKeyPair {
  readonly publicKey: Uint8Array
  /** @throws OpenFailed. The caller wipes the plaintext after use. */
  open(sealed: Uint8Array, context: Uint8Array): Promise<Uint8Array>
  destroy(): void
}

/**
 * Sealing to a public key. It hides the plaintext and binds it to the context; it does not tell who sealed. That the key is the recipient's own must be known
 * from elsewhere: keys made for one ceremony travel through the coordinator, so they keep secrets from whoever reads the wire, but not from a
 * coordinator that replaces everything its parties say. Against that, messages must be signed by identities known beforehand.
 */
export interface Sealing {
  generateKeyPair(): SealingKeyPair
  /** `context` must be given again to open. @throws OpenFailed when the recipient's key is not one */
  seal(recipient: Uint8Array, plaintext: Uint8Array, context: Uint8Array): Promise<Uint8Array>
}
