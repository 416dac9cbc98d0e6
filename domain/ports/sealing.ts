/** What the outside must provide to keep what one party says to another from everybody between them. */

/** The sealed bytes were altered, or were sealed to another key, by somebody else, or in another context. */
export class OpenFailed extends Error {
  override readonly name = 'OpenFailed'
}

/** A fresh key pair; the private key never leaves it. */
export interface SealingKeyPair {
  readonly publicKey: Uint8Array
  /** Opens what the holder of the sender's key has sealed. @throws OpenFailed. The caller wipes the plaintext after use. */
  open(sealed: Uint8Array, context: Uint8Array, sender: Uint8Array): Promise<Uint8Array>
  destroy(): void
}

/**
 * Sealing to a public key, as a party whose own sealing key the others know. It hides the plaintext, tells the recipient who sealed it, and
 * binds it to the context. That the recipient's key is its own must be known from elsewhere: keys made for one ceremony are signed by those who make them.
 */
export interface Sealing {
  generateKeyPair(): SealingKeyPair
  /** Opens what has been sealed to this party's own key, the one the others know. @throws OpenFailed. The caller wipes the plaintext after use. */
  open: SealingKeyPair['open']
  /** `context` must be given again to open. @throws OpenFailed when the recipient's key is not one */
  seal(recipient: Uint8Array, plaintext: Uint8Array, context: Uint8Array): Promise<Uint8Array>
}
