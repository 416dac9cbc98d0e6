import { createHash } from 'node:crypto'
import type { Header } from '../../domain/ceremony/messages.ts'
import { Refusal, refused } from '../../domain/ceremony/refusal.ts'
import type { Messages } from '../../domain/ports/messages.ts'
import { InvalidReply, type PartyChannel, type PartyEndpoint } from '../../domain/ports/party-channel.ts'
import { decodeReply, decodeRequest, encodeReply, encodeRequest } from './ceremony-codec.ts'
import { Malformed } from './shape.ts'

const ceremonySubject = (partyId: string) => `quorate.party.${partyId}.ceremony`

/**
 * The coordinator's end of the channel: MessagePack over request and reply. Messages say who they are from but do not prove it; what a party says in private is
 * sealed by the parties themselves.
 */
export function connectPartyChannel(messages: Messages, { name }: { name: string }): PartyChannel {
  return {
    async ask(addressed, request, options) {
      const header: Header = { ...addressed, from: name }
      const payload = await messages.request(ceremonySubject(header.to), encodeRequest(header, request), options)
      const answer = read(payload)
      if (answer.header === null ? answer.reply.type !== 'refused' : !isReplyTo(header, answer.header))
        throw new InvalidReply(`${header.to} answered something else than it was asked`)
      return answer.reply
    },
  }
}

/** A party's end of the channel. What cannot be read is refused as malformed. */
export function partyEndpoint(messages: Messages): PartyEndpoint {
  return {
    serve: (partyId, handler) =>
      messages.serve(ceremonySubject(partyId), async (payload) => {
        let asked: ReturnType<typeof decodeRequest>
        try {
          asked = decodeRequest(payload)
        } catch (error) {
          if (!(error instanceof Malformed)) throw error
          return encodeReply(null, refused(new Refusal('malformed', error.message)))
        }
        const { header, request, content } = asked
        const back: Header = { ...header, from: partyId, to: header.from }
        if (header.to !== partyId) return encodeReply(back, refused(new Refusal('malformed', 'addressed to another party')))
        return encodeReply(back, await handler({ header, request, digest: createHash('sha256').update(content).digest() }))
      }),
  }
}

function read(payload: Uint8Array) {
  try {
    return decodeReply(payload)
  } catch (error) {
    throw error instanceof Malformed ? new InvalidReply(error.message) : error
  }
}

function isReplyTo(asked: Header, answered: Header): boolean {
  return (
    answered.from === asked.to &&
    answered.to === asked.from &&
    answered.scheme === asked.scheme &&
    answered.kind === asked.kind &&
    answered.ceremonyId === asked.ceremonyId &&
    answered.attempt === asked.attempt &&
    answered.round === asked.round
  )
}
