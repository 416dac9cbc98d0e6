import type { ClientKey } from '../authorisation/client-key.ts'

/**
 * What a wallet allows of transfers, beside its general approvals. Whatever is left out allows everything. In the JSON form all numbers of money are decimal
 * strings; `docs/policy.md` has an example of each rule.
 */
export type TransferRules = {
  /** CAIP-2, CAIP-19 and CAIP-10, in their one spelling. */
  chains?: Listed
  assets?: Listed
  destinations?: Listed
  fees?: readonly FeeRule[]
  limits?: readonly Limit[]
  tiers?: readonly Tier[]
  /** Who approves what tiers ask approvals for, in a wallet without general approvals; there it is their approvers who do. */
  approvers?: readonly ClientKey[]
  /** Typed data (EIP-712) that are signed: `any`, or those that are named; none when left out, as permits among them move tokens past all other rules. */
  typedData?: 'any' | readonly TypedDataRule[]
}

/** The contract (CAIP-10) that typed data are for, and their primary type. */
export type TypedDataRule = { contract: string; primaryType: string }

/** Nothing that is denied, and of what is allowed nothing else where that is said. */
export type Listed = { allow?: readonly string[]; deny?: readonly string[] }

/** US dollars, with two decimals or none, or base units of one asset: a rule with those is about this asset alone. */
export type Value = { usd: string } | { asset: string; amount: string }

/** The most that a transaction may cost on a chain, in base units of its native coin. */
export type FeeRule = { id: string; chain: string; atMost: string }

/** The most that may be moved at once, or, with a window, in any such time. */
export type Limit = { id: string; atMost: Value; windowSeconds?: number }

/** What is wanted besides for a transfer of more than this. Of several the strictest counts, each for itself. */
export type Tier = {
  id: string
  above: Value
  /** Parties that sign; as many as the key's threshold when that is more. */
  signers?: number
  /** Approvers who have to agree. */
  approvals?: number
  /** Seconds after the request before which nobody signs. */
  delaySeconds?: number
}

export const MAX_WINDOW_SECONDS = 30 * 24 * 60 * 60
export const MAX_DELAY_SECONDS = 7 * 24 * 60 * 60
