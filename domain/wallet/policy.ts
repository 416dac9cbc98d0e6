import type { ClientKey } from '../authorisation/client-key.ts'
import type { KeyPolicy, PresignatureTier } from '../authorisation/key-policy.ts'
import { DomainError } from '../domain-error.ts'
import type { TransferRules } from '../policy/rules.ts'

/** What a wallet allows. */
export type WalletPolicy = {
  /** Whether a bare 32-byte digest may be signed; the signer then cannot know what it signs. */
  rawDigests: boolean
  /** `required` of the named approvers, each by a key of his own, must agree before a signature is made or the policy is changed. */
  approvals?: { required: number; approvers: readonly ClientKey[] }
  /** Openings of signatures kept ready for each key; the default tier when absent. */
  presignatures?: PresignatureTier
  /** What is allowed of transfers; everything that the approvals allow when absent. */
  transfers?: TransferRules
}

export const DEFAULT_POLICY: WalletPolicy = { rawDigests: false }
const DEFAULT_PRESIGNATURES: PresignatureTier = 10

export const MAX_CLIENT_KEYS = 20
export const MAX_APPROVERS = 50
/** As many approvals of a policy change fit into a request's headers. */
export const MAX_REQUIRED_APPROVALS = 20

/** What a wallet's keys are to be used under, as it is sealed with their shares. */
export function keyPolicyOf(wallet: {
  walletId: string
  clientKeys: readonly ClientKey[]
  policy: WalletPolicy
  policyVersion: number
}): KeyPolicy {
  const { walletId, clientKeys, policy, policyVersion } = wallet
  return { version: policyVersion, walletId, clientKeys, ...termsOf(policy) }
}

/** What a client wants changed: the whole policy, and the client keys, which stay as they are when they are left out. */
export type PolicyChange = { policy: WalletPolicy; clientKeys?: readonly ClientKey[] }

/** The policy of a key once its wallet has this one: the next version. */
export function nextPolicy(before: KeyPolicy, { policy, clientKeys = before.clientKeys }: PolicyChange): KeyPolicy {
  const { transfers: _, ...kept } = before
  return { ...kept, version: before.version + 1, clientKeys, ...termsOf(policy) }
}

/**
 * @throws DomainError `approvals_invalid` when a quorum cannot be met, or somebody could make up more than one of it; `transfer_rules_invalid` when it is not
 * clear whose quorum it is
 */
export function checkPolicy({ approvals, transfers }: WalletPolicy): void {
  if (approvals) checkQuorum(approvals, '/policy/approvals')
  if (!transfers) return
  const { tiers = [], approvers: own } = transfers
  if (approvals && own)
    throw new DomainError('transfer_rules_invalid', 'those who approve everything approve transfers too', '/policy/transfers/approvers')
  const approvers = approvals?.approvers ?? own ?? []
  if (own) checkQuorum({ required: 1, approvers: own }, '/policy/transfers')
  for (const [index, tier] of tiers.entries())
    if ((tier.approvals ?? 0) > approvers.length)
      throw new DomainError('approvals_invalid', `there are ${approvers.length} approvers`, `/policy/transfers/tiers/${index}/approvals`)
}

function checkQuorum({ required, approvers }: { required: number; approvers: readonly ClientKey[] }, pointer: string): void {
  const refuse = (message: string, field: string) => new DomainError('approvals_invalid', message, `${pointer}/${field}`)
  if (approvers.length > MAX_APPROVERS) throw refuse(`at most ${MAX_APPROVERS} approvers can be named`, 'approvers')
  if (new Set(approvers.map(({ kid }) => kid)).size !== approvers.length) throw refuse('an approver is named twice', 'approvers')
  if (new Set(approvers.map(({ crv, x }) => `${crv} ${x}`)).size !== approvers.length)
    throw refuse('two approvers have one key', 'approvers')
  if (required < 1 || required > Math.min(approvers.length, MAX_REQUIRED_APPROVALS))
    throw refuse(`required must be between 1 and the number of approvers, and at most ${MAX_REQUIRED_APPROVALS}`, 'required')
}

/** @throws DomainError `client_keys_invalid` when nobody could ask for anything any more, or it would not be clear who does */
export function checkClientKeys(clientKeys: readonly ClientKey[]): void {
  const refuse = (message: string) => new DomainError('client_keys_invalid', message, '/clientKeys')
  if (clientKeys.length < 1 || clientKeys.length > MAX_CLIENT_KEYS) throw refuse(`a wallet has 1 to ${MAX_CLIENT_KEYS} client keys`)
  if (new Set(clientKeys.map(({ kid }) => kid)).size !== clientKeys.length) throw refuse('each key needs a kid of its own')
}

function termsOf({ rawDigests, approvals, presignatures = DEFAULT_PRESIGNATURES, transfers }: WalletPolicy) {
  return { rawDigests, approvals: approvals ?? null, presignatures, ...(transfers && { transfers }) }
}
