import type { Limits, TransactionClaim } from '../domain/ports/signing-ledger.ts'

/** What the client has asked for: the message as the scheme signs it, and with which key under the share's. */
export type Allowed = { readonly message: Uint8Array; readonly path: string }

/** What is used up by it. `limits` hold for what a transaction moves. */
export type Spending = {
  readonly intents: readonly string[]
  readonly slots: readonly string[]
  readonly transaction: TransactionClaim | null
  readonly limits?: Limits
}
