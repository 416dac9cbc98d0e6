import { policyDigest } from '../domain/authorisation/key-policy.ts'
import { Refusal } from '../domain/ceremony/refusal.ts'
import { encodeFields } from '../domain/fields.ts'
import { ProtocolAbort } from '../domain/threshold/protocol.ts'
import { protocolOf } from '../domain/threshold/registry.ts'
import { authoriseKeyGeneration } from './authorisation.ts'
import { type BeginCeremony, requireType } from './ceremony.ts'
import { converse } from './conversation.ts'
import { numberedFromOne } from './participants.ts'
import { FIRST_EPOCH, readPolicy } from './share-record.ts'

/** Takes part in the generation of a key. Its last answer means that the share is sealed and on disk. */
export const beginKeyGeneration: BeginCeremony = async ({ header, request }, { partyId, shares, voice, rng, verify, ledger, now }) => {
  const { keyId, threshold, parties, authorisation, policy } = requireType(request, 'generateKey').key
  const { scheme, attempt } = header
  if (header.ceremonyId !== keyId) throw new Refusal('malformed', 'the ceremony is not that of the key')
  const self = parties.indexOf(partyId) + 1
  if (self === 0 || new Set(parties).size !== parties.length) throw new Refusal('malformed', 'this party is to be named once')
  const intents = authoriseKeyGeneration({ authorisation, scheme, threshold, parties, policy: readPolicy(policy), verify, now: now() })
  await shares.assertRoom({ keyId, epoch: FIRST_EPOCH, attempt }, policy)
  await ledger.spend(intents, `generation of ${keyId}`)

  // Proofs made under one policy are worth nothing under another: those who were told of different ones cannot make a key together.
  const digest = policyDigest(policy)
  const context = encodeFields('quorate key generation', scheme, keyId, attempt, threshold, digest, ...parties)
  const participant = start(() => protocolOf(scheme).keyGeneration({ self, threshold, parties: parties.length, context, rng }))
  const conversation = await converse({ attempt: header, context, participants: numberedFromOne(parties), participant, voice })

  return {
    opening: conversation.opening,
    destroy: conversation.destroy,
    async next(request) {
      const said = await conversation.hear(requireType(request, 'proceed').heard)
      if (said.type === 'said') return { reply: said, done: false }
      const { share, publicKey, publicPackage } = said.result
      try {
        await shares.keep({ keyId, attempt, epoch: FIRST_EPOCH, scheme, threshold, parties, publicKey, publicPackage, policy }, share)
      } finally {
        share.fill(0)
      }
      return { reply: { type: 'generated', publicKey, publicPackage, policyDigest: digest }, done: true }
    },
  }
}

function start<T>(participate: () => T): T {
  try {
    return participate()
  } catch (error) {
    throw error instanceof ProtocolAbort ? new Refusal('malformed', error.message) : error
  }
}
