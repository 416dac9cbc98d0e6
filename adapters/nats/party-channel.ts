import type { Header } from '../../domain/ceremony/messages.ts'
import { Refusal, refused } from '../../domain/ceremony/refusal.ts'
import type { Witness } from '../../domain/ceremony/sayings.ts'
import { isSaidBy } from '../../domain/ceremony/statements.ts'
import type { Identity } from '../../domain/ports/identity.ts'
import { type Messages, NoResponders } from '../../domain/ports/messages.ts'
import {
  type Asked,
  ForgedReply,
  GOOD_FOR_MS,
  InvalidReply,
  type PartyChannel,
  type PartyEndpoint,
} from '../../domain/ports/party-channel.ts'
import type { PartyHealth } from '../../domain/ports/party-directory.ts'
import { keyOfAsker } from './askers.ts'
import { decodeReply, decodeRequest, encodeReply, encodeRequest } from './ceremony-codec.ts'
import { decodeEnvelope, type Envelope, encodeEnvelope, replyBytes, requestBytes, sha256 } from './envelope.ts'
import { Malformed } from './shape.ts'
import { madeAt, newStamp } from './stamp.ts'

const ceremonySubject = (partyId: string) => `quorate.party.${partyId}.ceremony`

/** Whose end of the channel it is, and whom it knows. */
export type ChannelEnd = Witness & { identity: Identity }

/**
 * The end of who asks: signed MessagePack over request and reply. A reply is taken from the party that was asked, for this very request, and
 * from nobody else; and only when all that it says to other participants is signed too, or they would hold it against who carries it.
 */
export function connectPartyChannel(messages: Messages, { identity, ...witness }: ChannelEnd): PartyChannel {
  return {
    async ask(addressed, request, options) {
      const header: Header = { ...addressed, from: identity.id }
      const subject = ceremonySubject(header.to)
      const keys = witness.registry.parties.get(header.to)
      if (!keys) throw new NoResponders(subject)
      const content = encodeRequest(request)
      const stamp = newStamp(Date.now())
      const sent = encodeEnvelope({ header, stamp, content, signature: await identity.sign(requestBytes(header, stamp, content)) })
      const payload = await messages.request(subject, sent, options)
      const answer = readable(() => decodeEnvelope(payload), ForgedReply)
      if (!witness.verify(keys.signing, replyBytes(answer.header, answer.content, sent), answer.signature))
        throw new ForgedReply(`the answer is not signed by ${header.to}`)
      const reply = readable(() => decodeReply(answer.content), InvalidReply)
      if (answer.header === null ? reply.type !== 'refused' : !isReplyTo(header, answer.header))
        throw new InvalidReply(`${header.to} answered something else than it was asked`)
      if (reply.type === 'said' && !isSaidBy(witness, header, header.to, reply, sha256))
        throw new InvalidReply(`${header.to} has not signed what it says`)
      return reply
    },
    reachable: messages.ping,
  }
}

/**
 * A party's end of the channel. What nobody in the registry has signed for this party and this round is refused before its content is looked at, and
 * counted. Every answer is signed, refusals too.
 */
export function partyEndpoint(
  messages: Messages,
  { identity, ...witness }: ChannelEnd,
): PartyEndpoint & Pick<PartyHealth, 'refusedMessages'> {
  let refusedMessages = 0

  return {
    get refusedMessages() {
      return refusedMessages
    },
    serve: (partyId, handler) =>
      messages.serve(ceremonySubject(partyId), async (payload) => {
        const { header, asked } = listen(payload, partyId, witness)
        if (asked instanceof Refusal) refusedMessages++
        const reply = asked instanceof Refusal ? refused(asked) : await handler(asked)
        const back = header && { ...header, from: partyId, to: header.from }
        const content = encodeReply(reply)
        return encodeEnvelope({ header: back, stamp: null, content, signature: await identity.sign(replyBytes(back, content, payload)) })
      }),
  }
}

/** What is asked, or why it is not listened to; and the header as far as there is one, which may name anybody as the sender. */
function listen(payload: Uint8Array, partyId: string, witness: Witness): { header: Header | null; asked: Asked | Refusal } {
  let header: Header | null = null
  try {
    const envelope = decodeEnvelope(payload)
    header = envelope.header
    return { header, asked: admit(envelope, partyId, witness) }
  } catch (error) {
    if (error instanceof Refusal) return { header, asked: error }
    if (error instanceof Malformed) return { header, asked: new Refusal('malformed', error.message, header ? [header.from] : []) }
    throw error
  }
}

/** @throws Refusal, Malformed */
function admit({ header, stamp, content, signature }: Envelope, partyId: string, { registry, verify }: Witness): Asked {
  if (!header || !stamp) throw new Malformed('a request needs a header and a stamp')
  const { from, to } = header
  if (to !== partyId) throw new Malformed('addressed to another party')
  const key = keyOfAsker(registry, header)
  if (!key) throw new Refusal('unknown_sender', `${from} is not known as one who may ask for this`, [from])
  if (!verify(key, requestBytes(header, stamp, content), signature)) throw new Refusal('signature_invalid', `not signed by ${from}`, [from])
  if (Math.abs(Date.now() - madeAt(stamp)) > GOOD_FOR_MS)
    throw new Refusal('request_stale', 'the request was made too long ago, or clocks are far apart', [from])
  return { id: `${from}/${Buffer.from(stamp).toString('hex')}`, header, request: decodeRequest(content), digest: sha256(content) }
}

function readable<T>(read: () => T, Unreadable: typeof InvalidReply): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof Malformed ? new Unreadable(error.message) : error
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
