import { policyDigest } from '../domain/authorisation/key-policy.ts'
import type { RecoveryRequest, SharedKey } from '../domain/ceremony/messages.ts'
import { Refusal } from '../domain/ceremony/refusal.ts'
import { encodeFields } from '../domain/fields.ts'
import { protocolOf } from '../domain/threshold/registry.ts'
import { equalBytes } from '../domain/threshold/rounds.ts'
import type { Scheme } from '../domain/threshold/scheme.ts'
import { authoriseRecovery } from './authorisation.ts'
import { type BeginCeremony, type CeremonyDependencies, participate, requireType } from './ceremony.ts'
import { converse } from './conversation.ts'
import { readPolicy, type StoredShare } from './share-record.ts'

/**
 * Takes part in the recovery of a share that one holder has lost, as that holder or as one of the others, who are as many as sign. The holder has nothing to
 * hold what it is told of the key against: it is part of what all participants sign in the first round, so it is right as long as one of
 * the others is honest. Its last answer means that the share is sealed and on disk; the others' that they had theirs all along.
 */
export const beginRecovery: BeginCeremony = async ({ header, request }, dependencies) => {
  const { partyId, shares, voice, rng, verify, ledger, now } = dependencies
  const { recovery } = requireType(request, 'recoverShare')
  const { key, lost, helpers, authorisation } = recovery
  const { scheme, attempt } = header
  const { keyId, epoch, threshold, parties, publicKey, publicPackage, policy } = key
  if (header.ceremonyId !== keyId) throw new Refusal('malformed', 'the ceremony is not that of the key')
  requireCompany(recovery, partyId)
  const stored = partyId === lost ? await requireLoss(scheme, key, dependencies) : await findOwn(scheme, key, dependencies)

  const intents = authoriseRecovery({ authorisation, keyId, lost, policy: readPolicy(policy), verify, now: now() })
  // Of this epoch: who had the share of an earlier one is not to be given the next by the same word.
  await ledger.spend(intents, `recovery of ${keyId} at ${lost}, epoch ${epoch}, attempt ${key.attempt}`)

  const numberOf = (id: string) => parties.indexOf(id) + 1
  const context = encodeFields(
    'quorate share recovery',
    ...[scheme, keyId, epoch, key.attempt, attempt, publicKey, publicPackage, policyDigest(policy), threshold, lost],
    ...[parties.length, ...parties, ...helpers],
  )
  const common = { lost: numberOf(lost), helpers: helpers.map(numberOf), self: numberOf(partyId), publicPackage, context, rng }
  const participant = await participate(() =>
    stored
      ? shares.use(stored, (share) => protocolOf(scheme).recovery({ ...common, key: { share, publicPackage } }))
      : protocolOf(scheme).recovery(common),
  )
  const participants = [lost, ...helpers].map((id) => ({ id, number: numberOf(id) }))
  const conversation = await converse({ attempt: header, context, participants, participant, voice })

  return {
    opening: conversation.opening,
    destroy: conversation.destroy,
    async next(request) {
      const said = await conversation.hear(requireType(request, 'proceed').heard)
      if (said.type === 'said') return { reply: said, done: false }
      if (said.result) {
        const { share } = said.result
        try {
          const record = { keyId, epoch, attempt: key.attempt, scheme, threshold, parties, publicKey, publicPackage, policy }
          await shares.keep(record, share, 'recovered')
        } finally {
          share.fill(0)
        }
      }
      return { reply: { type: 'generated', publicKey, publicPackage, policyDigest: policyDigest(policy) }, done: true }
    },
  }
}

/** That nobody is named twice is made sure of by the conversation. @throws Refusal `not_a_holder`, `too_few_helpers` */
function requireCompany({ key: { parties, threshold }, lost, helpers }: RecoveryRequest, self: string): void {
  const company = [lost, ...helpers]
  if (!company.every((id) => parties.includes(id))) throw new Refusal('not_a_holder', 'somebody is to take part who holds no share')
  if (!company.includes(self)) throw new Refusal('malformed', 'this party is not to take part')
  if (helpers.length !== threshold) throw new Refusal('too_few_helpers', `a share is recovered by ${threshold} other holders`)
}

/** A helper's own share; what the request says of the key has to be what its record says. */
async function findOwn(scheme: Scheme, key: SharedKey, { shares }: CeremonyDependencies): Promise<StoredShare> {
  const stored = await shares.find(key)
  const { record } = stored
  const isSame =
    record.scheme === scheme &&
    record.threshold === key.threshold &&
    record.parties.length === key.parties.length &&
    record.parties.every((id, index) => id === key.parties[index]) &&
    equalBytes(record.publicPackage, key.publicPackage) &&
    equalBytes(record.policy, key.policy)
  if (!isSame) throw new Refusal('share_mismatch', 'the key is another one than this party shares in')
  return stored
}

/** A share that is there and opens is not recovered. */
async function requireLoss(scheme: Scheme, key: SharedKey, { shares }: CeremonyDependencies): Promise<undefined> {
  const { threshold, parties, publicKey } = await participate(() => protocolOf(scheme).inspect(key.publicPackage))
  if (threshold !== key.threshold || parties !== key.parties.length || !equalBytes(publicKey, key.publicKey))
    throw new Refusal('malformed', 'the public package is of another key')
  try {
    await shares.use(await shares.find(key), () => {})
  } catch (error) {
    if (error instanceof Refusal && (error.code === 'unknown_key' || error.code === 'share_unreadable')) return undefined
    throw error
  }
  throw new Refusal('share_exists', 'the share is not lost')
}
