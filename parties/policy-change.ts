import type { CeremonyReply } from '../domain/ceremony/messages.ts'
import { Refusal } from '../domain/ceremony/refusal.ts'
import type { Asked } from '../domain/ports/party-channel.ts'
import { authorisePolicyChange } from './authorisation.ts'
import { type CeremonyDependencies, requireType } from './ceremony.ts'

/** Puts a key under the next version of its policy. Asked again, also after later changes, it answers the same. @throws Refusal, Unavailable */
export async function changePolicy(
  { header, request }: Asked,
  { shares, verify, ledger, now }: CeremonyDependencies,
): Promise<CeremonyReply> {
  const { keyId, version, authorisation, approvals } = requireType(request, 'changePolicy').change
  if (header.ceremonyId !== keyId) throw new Refusal('malformed', 'the ceremony is not that of the key')
  const policy = await shares.policy(keyId)
  if (policy.version >= version) return { type: 'policyChanged', version }
  if (policy.version + 1 !== version) throw new Refusal('policy_out_of_order', `version ${policy.version} is in force`)
  const changed = authorisePolicyChange({ authorisation, approvals, policy, verify, now: now() })
  // One change is for all keys of the wallet.
  await ledger.spend(changed.intents, `policy ${version} of ${policy.walletId}`)
  await shares.changePolicy(keyId, changed.policy)
  return { type: 'policyChanged', version }
}
