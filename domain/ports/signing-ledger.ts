/** What the outside must provide so that a party remembers for ever what it has put its share to. */
import type { Moved } from '../policy/evaluate.ts'

/** A share of a signature that is about to leave: of one session, over one digest. */
export type SigningClaim = {
  keyId: string
  sessionId: string
  attempt: number
  /** SHA-256 of the request that is answered. */
  requestDigest: Uint8Array
  /** What is signed, as it is given to the scheme, hashed with the derivation path. 32 bytes. */
  digest: Uint8Array
  /** What can be spent once only, such as an account's nonce or an input, each as text; none for a message. */
  slots: readonly string[]
  /** The transaction that is signed, in part or in whole; null for a message. */
  transaction: TransactionClaim | null
  /** Ids of the intents and approvals that allow it, each with the key that signed it. */
  intents: readonly string[]
  /** What is answered. */
  answer: Uint8Array
}

/**
 * A transaction of a transfer. There is one for each transfer: another one is refused unless those before have died of age, or it takes their place, which is when it has a
 * slot in common with each of them, so that only one can be mined, and none that no transaction before had. Slots once spent on a transfer are for no other.
 */
export type TransactionClaim = {
  transferId: string
  walletId: string
  /** SHA-256 of the transaction, its chain and who pays. 32 bytes. */
  digest: Uint8Array
  /** How long after it is signed it can be mined; null for ever. */
  lifetimeMs: number | null
  /** Of the claim's intents the one that asks for this transaction in place of those before, and for no other. */
  replacement: string | null
  /** Null when it moves nothing. */
  moves: Pick<Moved, 'asset' | 'amount' | 'usdCents'> | null
}

/** What was moved when this party first signed what moves something for a transfer, by other transfers of the wallet that it had signed for. `at` is in ms since the epoch. */
export type History = { at: number; moved: readonly Moved[] }

/** Whether a transfer may be signed for, upon what was moved in so many milliseconds before. */
export type Limits = { windowMs: number; exceededBy(history: History): string | undefined }

export type LedgerHead = { sequence: bigint; hash: Uint8Array }

/** The claim contradicts one made before: the session or a slot stands for another digest, or an intent was used for something else. Or too much has been moved. */
export class ClaimRefused extends Error {
  override readonly name = 'ClaimRefused'
  constructor(
    readonly code: 'signed_otherwise' | 'slot_taken' | 'intent_reused' | 'limit_exceeded',
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
  /**
   * Records the claim, in one step, in which limits are looked at if it is the first for the transfer that moves something. Made again in the same attempt it changes nothing.
   * @throws ClaimRefused
   */
  claim(claim: SigningClaim, limits?: Limits): Promise<LedgerHead>
  /** @throws ClaimRefused when more was moved than can be looked at */
  history(transfer: Pick<TransactionClaim, 'walletId' | 'transferId'>, windowMs: number): History
  /** Records that an intent allows one operation other than a signature, such as the generation of a key; the same again changes nothing. @throws ClaimRefused */
  spend(intents: readonly string[], operation: string): Promise<void>
  /** Claims that were refused since the ledger was opened, by code. */
  refusals(): Readonly<Record<ClaimRefused['code'], number>>
  close(): Promise<void>
}
