/** What the outside must provide so that parties notice when one of them has lost what it remembered. */
import type { LedgerHead } from './signing-ledger.ts'

/** The head of a party's ledger, at its word. The signature is by its identity. */
export type SignedHead = LedgerHead & { partyId: string; signature: Uint8Array }

/** Beside a party's ledger, in the same store: what it has witnessed of others, and what others hold against itself. Durable when a method returns. */
export interface WitnessStore {
  /** The head that was kept of another party last. */
  witnessed(partyId: string): SignedHead | undefined
  keep(heads: readonly SignedHead[]): void
  /**
   * Holds a head that this party has signed against its own ledger. When the ledger has never been there the party is fenced, until an operator
   * lifts that.
   */
  confront(head: LedgerHead): void
  /** The highest head that this party has signed and its ledger does not have; undefined unless it is fenced. */
  fence(): LedgerHead | undefined
  close(): void
}
