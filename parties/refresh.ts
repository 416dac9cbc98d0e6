import { policyDigest } from '../domain/authorisation/key-policy.ts'
import { Refusal } from '../domain/ceremony/refusal.ts'
import { encodeFields } from '../domain/fields.ts'
import { protocolOf } from '../domain/threshold/registry.ts'
import { authoriseKeyOperation } from './authorisation.ts'
import { type BeginCeremony, participate, requireType } from './ceremony.ts'
import { converse } from './conversation.ts'
import { numberedFromOne } from './participants.ts'

/**
 * Takes part in the refresh of a key, for which all its holders are needed. Its last answer means that the new share is sealed and on disk, beside
 * the old one: pending, until the party is told to confirm it.
 */
export const beginRefresh: BeginCeremony = async ({ header, request }, { shares, voice, rng, verify, ledger, now }) => {
  const { share: reference, authorisation } = requireType(request, 'refreshKey')
  const { scheme, attempt } = header
  const { keyId } = reference
  if (header.ceremonyId !== keyId) throw new Refusal('malformed', 'the ceremony is not that of the key')
  const current = await shares.find(reference)
  const { record } = current
  if (record.scheme !== scheme) throw new Refusal('share_mismatch', 'the key is of another scheme')
  const policy = await shares.policy(keyId)
  const intents = authoriseKeyOperation('refresh', { authorisation, keyId, policy, verify, now: now() })
  const { threshold, parties, publicPackage } = record
  const epoch = record.epoch + 1
  // A confirmed share stays until a later epoch is in force. One of the client's wishes is good for one, so that nobody piles them up; a new wish for another.
  const beside = await shares.confirmedIn(keyId, epoch)
  await ledger.spend(intents, [`refresh of ${keyId} to epoch ${epoch}`, ...beside.map((each) => `beside attempt ${each}`)].join(', '))
  // An attempt begins when those before it have come to nothing.
  await shares.discardPending(keyId, epoch)
  await shares.assertRoom({ keyId, epoch, attempt }, record.policy)

  const context = encodeFields('quorate key refresh', scheme, keyId, epoch, attempt, record.attempt, threshold, ...parties)
  const participant = await participate(() =>
    shares.use(current, (share) => protocolOf(scheme).refresh({ key: { share, publicPackage }, context, rng })),
  )
  const conversation = await converse({ attempt: header, context, participants: numberedFromOne(parties), participant, voice })

  return {
    opening: conversation.opening,
    destroy: conversation.destroy,
    async next(request) {
      const said = await conversation.hear(requireType(request, 'proceed').heard)
      if (said.type === 'said') return { reply: said, done: false }
      const { share, publicKey, publicPackage } = said.result
      try {
        await shares.keep({ ...record, epoch, attempt, publicKey, publicPackage }, share, { beside })
      } finally {
        share.fill(0)
      }
      return { reply: { type: 'generated', publicKey, publicPackage, policyDigest: policyDigest(record.policy) }, done: true }
    },
  }
}
