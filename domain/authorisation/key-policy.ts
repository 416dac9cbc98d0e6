import type { ClientKey } from '../wallet/events.ts'

/** Openings of signatures that are kept ready for a key, at each of its parties. */
export const PRESIGNATURE_TIERS = [0, 10, 1000] as const
export type PresignatureTier = (typeof PRESIGNATURE_TIERS)[number]

/**
 * What a key may be used for, and at whose word: sealed with each share when the key is generated, and changed only by an intent that the policy in
 * force allows. `version` counts the changes.
 */
export type KeyPolicy = {
  version: number
  walletId: string
  /** Whoever holds one of these may ask for what the policy allows. */
  clientKeys: readonly ClientKey[]
  /** Whether a bare digest may be signed. */
  rawDigests: boolean
  /** How many of the named must agree, each with a key of his own, to a signature or to a change of the policy; null when nobody need. */
  approvals: { required: number; approvers: readonly ClientKey[] } | null
  presignatures: PresignatureTier
}
