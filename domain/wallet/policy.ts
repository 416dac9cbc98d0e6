import { DomainError } from '../domain-error.ts'

/** What a wallet allows. */
export type WalletPolicy = {
  /** Whether a bare 32-byte digest may be signed; the signer then cannot know what it signs. */
  rawDigests: boolean
  /** `required` of the named approvers (`sub` of their tokens) must agree before a signature is made. */
  approvals?: { required: number; approvers: readonly string[] }
}

export const DEFAULT_POLICY: WalletPolicy = { rawDigests: false }

/** @throws DomainError `approvals_invalid` when the quorum cannot be met or names somebody twice */
export function checkPolicy(policy: WalletPolicy): void {
  if (!policy.approvals) return
  const { required, approvers } = policy.approvals
  if (new Set(approvers).size !== approvers.length)
    throw new DomainError('approvals_invalid', 'an approver is named twice', '/policy/approvals/approvers')
  if (required < 1 || required > approvers.length)
    throw new DomainError('approvals_invalid', 'required must be between 1 and the number of approvers', '/policy/approvals/required')
}
