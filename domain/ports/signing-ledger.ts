/** What the outside must provide so that a party remembers for ever what it has put its share to. */

/** A share of a signature that is about to leave: of one session, over one digest. */
export type SigningClaim = {
  keyId: string
  sessionId: string
  attempt: number
  /** SHA-256 of the request that is answered. */
  requestDigest: Uint8Array
  /** What is signed, as it is given to the scheme, hashed with the derivation path. 32 bytes. */
  digest: Uint8Array
  /** What can be spent once only, such as a chain's nonce or input, each as text that begins with its kind; none for a message. */
  slots: readonly string[]
  /** Ids of the intents and approvals that allow it, each with the key that signed it. */
  intents: readonly string[]
  /** What is answered. */
  answer: Uint8Array
}

export type LedgerHead = { sequence: bigint; hash: Uint8Array }

/** The claim contradicts one made before: the session or a slot stands for another digest, or an intent was used for something else. */
export class ClaimRefused extends Error {
  override readonly name = 'ClaimRefused'
  constructor(
    readonly code: 'signed_otherwise' | 'slot_taken' | 'intent_reused',
    message: string,
  ) {
    super(message)
  }
}

/** Every method is atomic and, once it has returned, survives a power failure. */
export interface SigningLedger {
  /** How many entries there are, and the hash that chains them. */
  head(): LedgerHead
  /** What was answered in this attempt at the session, if anything was. */
  answered(keyId: string, sessionId: string, attempt: number): { requestDigest: Uint8Array; answer: Uint8Array } | undefined
  /** Records the claim, in one step. Made again in the same attempt it changes nothing. @throws ClaimRefused */
  claim(claim: SigningClaim): Promise<LedgerHead>
  /** Records that an intent allows one operation other than a signature, such as the generation of a key; the same again changes nothing. @throws ClaimRefused */
  spend(intents: readonly string[], operation: string): Promise<void>
  /** Claims that were refused since the ledger was opened, by code. */
  refusals(): Readonly<Record<ClaimRefused['code'], number>>
  close(): Promise<void>
}
