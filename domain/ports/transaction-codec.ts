import type { Scheme } from '../threshold/scheme.ts'

/** The account that pays: its key at its path, as the engine of the scheme gives it, and the address that follows from it. */
export type Sender = { readonly scheme: Scheme; readonly publicKey: Uint8Array; readonly address: string }

/** All that a transaction does, once it is mined. Addresses and ids are in their one spelling. */
export type Effect = {
  /** A cancellation moves nothing: it takes the place of a transaction that is not to be mined any more. */
  readonly kind: 'transfer' | 'cancellation'
  /** CAIP-19. */
  readonly asset: string
  readonly to: string
  /** Base units, as is the fee. */
  readonly amount: bigint
  /** The most that it can cost besides, in the chain's native coin. */
  readonly fee: bigint
  readonly memo: string | null
  /**
   * What it uses up, each as text that begins with its kind, such as `nonce:<address>:7` or `input:<txid>:<index>`, and unique on the chain. Two
   * transactions that share one cannot both be mined.
   */
  readonly conflicts: readonly string[]
  /** Seconds after its making at which it cannot be mined any more; null when it can be at any time. */
  readonly lifetimeSeconds: number | null
}

/** A signature as the engine of the scheme gives it: 64 bytes; with the recovery id for ECDSA. */
export type MadeSignature = { readonly signature: Uint8Array; readonly recoveryId: number | null }

/** `raw` is what is broadcast; `hash` is what the chain calls it. */
export type SignedTransaction = { readonly raw: Uint8Array; readonly hash: string }

/**
 * Transactions of a chain, without asking one of its nodes. Parties judge by it what they sign, so it takes nothing on trust that it is handed:
 * what it does not wholly understand it refuses.
 */
export interface TransactionCodec {
  /** @throws TransactionRefused unless the transaction is whole, spends only what is the sender's, and does nothing but what is told here */
  read(unsigned: Uint8Array, sender: Sender): Effect
  /**
   * What the scheme of the sender is to sign, one message for each signature, in their order: for ECDSA and BIP-340 the 32-byte digest, for Ed25519 the message.
   * @throws TransactionRefused
   */
  messages(unsigned: Uint8Array, sender: Sender): readonly Uint8Array[]
  /** @param signatures one for each message, in their order @throws TransactionRefused, also when one of them does not verify */
  attach(unsigned: Uint8Array, sender: Sender, signatures: readonly MadeSignature[]): SignedTransaction
  /**
   * The transaction as a PSBT (BIP-174) for other wallets, where the chain has those.
   * @param signatures one for each message, null where it is not made yet: with all of them there is nothing left to do but to send it
   * @throws TransactionRefused, also when one of them does not verify
   */
  toPsbt?(unsigned: Uint8Array, sender: Sender, signatures: readonly (MadeSignature | null)[]): Uint8Array
  /** The transaction, unsigned, that another wallet has made a PSBT of. @throws TransactionRefused when it would be another one, or somebody has signed it */
  fromPsbt?(psbt: Uint8Array): Uint8Array
}

/** How much longer than its lifetime a transaction is taken to live: clocks differ, and blocks come late. */
export const LIFETIME_MARGIN_SECONDS = 60

/** Most messages that one transaction is signed with. */
export const MAX_MESSAGES = 1_000

/** Largest transaction, unsigned, that is looked at. */
export const MAX_TRANSACTION_BYTES = 128 * 1024

/** The bytes are no transaction that may be signed for this sender. */
export class TransactionRefused extends Error {
  override readonly name = 'TransactionRefused'
  readonly code = 'transaction_refused'
}
