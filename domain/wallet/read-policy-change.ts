import { type ClientKey, readClientKey } from '../authorisation/client-key.ts'
import { isPresignatureTier } from '../authorisation/key-policy.ts'
import { MalformedJson, parseStrictJson, readFields } from '../json/strict-json.ts'
import { readTransferRules } from '../policy/read-rules.ts'
import { checkClientKeys, checkPolicy, MAX_APPROVERS, MAX_CLIENT_KEYS, type PolicyChange, type WalletPolicy } from './policy.ts'

/**
 * What is wanted in the body of `POST /v1/wallets/:walletId/policy`: what the policy leaves out takes its default. API and parties read it by this function alone, so that
 * they cannot take one body for two policies.
 * @throws MalformedJson, DomainError as `checkPolicy` and `checkClientKeys`
 */
export function readPolicyChange(body: string): PolicyChange {
  const { policy, clientKeys } = readFields(parseStrictJson(body), ['policy'], ['clientKeys'])
  const {
    rawDigests = false,
    approvals,
    presignatures,
    transfers,
  } = readFields(policy, [], ['rawDigests', 'approvals', 'presignatures', 'transfers'])
  if (typeof rawDigests !== 'boolean') throw new MalformedJson('rawDigests must be true or false')
  if (presignatures !== undefined && !isPresignatureTier(presignatures)) throw new MalformedJson('presignatures is none of the tiers')
  const read: WalletPolicy = {
    rawDigests,
    ...(approvals === undefined ? {} : { approvals: readApprovals(approvals) }),
    ...(presignatures === undefined ? {} : { presignatures }),
    ...(transfers === undefined ? {} : { transfers: readTransferRules(transfers, '/policy/transfers', readClientKey) }),
  }
  checkPolicy(read)
  if (clientKeys === undefined) return { policy: read }
  if (!Array.isArray(clientKeys) || clientKeys.length > MAX_CLIENT_KEYS) throw new MalformedJson('clientKeys must be a list of keys')
  const keys = clientKeys.map(readClientKey)
  checkClientKeys(keys)
  return { policy: read, clientKeys: keys }
}

function readApprovals(value: unknown): { required: number; approvers: readonly ClientKey[] } {
  const { required, approvers } = readFields(value, ['required', 'approvers'])
  if (!Number.isSafeInteger(required)) throw new MalformedJson('required must be a whole number')
  if (!Array.isArray(approvers) || approvers.length > MAX_APPROVERS) throw new MalformedJson('approvers must be a list of keys')
  return { required: required as number, approvers: approvers.map(readClientKey) }
}
