import { encodeFields } from '../domain/ceremony/fields.ts'
import { Refusal } from '../domain/ceremony/refusal.ts'
import { ProtocolAbort } from '../domain/threshold/protocol.ts'
import { protocolOf } from '../domain/threshold/registry.ts'
import { type BeginCeremony, requireType } from './ceremony.ts'
import { converse } from './conversation.ts'
import { numberedFromOne } from './participants.ts'

const FIRST_EPOCH = 1

/** Takes part in the generation of a key. Its last answer means that the share is sealed and on disk. */
export const beginKeyGeneration: BeginCeremony = async ({ header, request }, { partyId, shares, voice, rng }) => {
  const { keyId, threshold, parties } = requireType(request, 'generateKey').key
  const { scheme, attempt } = header
  if (header.ceremonyId !== keyId) throw new Refusal('malformed', 'the ceremony is not that of the key')
  const self = parties.indexOf(partyId) + 1
  if (self === 0 || new Set(parties).size !== parties.length) throw new Refusal('malformed', 'this party is to be named once')
  await shares.assertRoom(keyId, attempt)

  const context = encodeFields('quorate key generation', scheme, keyId, attempt, threshold, ...parties)
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
        await shares.keep({ keyId, attempt, epoch: FIRST_EPOCH, scheme, threshold, parties, publicKey, publicPackage }, share)
      } finally {
        share.fill(0)
      }
      return { reply: { type: 'generated', publicKey, publicPackage }, done: true }
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
