/** Anybody who can publish on the broker: writes envelopes as he likes, signed or not, and reads what comes back. */
import { decodeReply } from '../../adapters/nats/ceremony-codec.ts'
import { decodeEnvelope, encodeEnvelope, replyBytes, requestBytes } from '../../adapters/nats/envelope.ts'
import { newStamp } from '../../adapters/nats/stamp.ts'
import type { CeremonyReply, Header } from '../../domain/ceremony/messages.ts'
import type { Identity } from '../../domain/ports/identity.ts'
import type { TestSystem } from '../ceremony/system.ts'

/** Long enough for a machine that does much else: what takes longer hangs. */
const TIMEOUT_MS = 60_000

export const subjectOf = (partyId: string) => `quorate.party.${partyId}.ceremony`

export const signed = async (signer: Identity, header: Header, content: Uint8Array, stamp = newStamp(Date.now())): Promise<Uint8Array> =>
  encodeEnvelope({ header, stamp, content, signature: await signer.sign(requestBytes(header, stamp, content)) })

export type Answer = { header: Header | null; reply: CeremonyReply; isSigned: boolean }

/** Sends bytes to a party. @throws when it does not answer */
export async function send(system: TestSystem, partyId: string, payload: Uint8Array): Promise<Answer> {
  const answer = decodeEnvelope(await system.messages.request(subjectOf(partyId), payload, { timeoutMs: TIMEOUT_MS }))
  const { registry, verify } = system.identities.witness
  const isSigned = verify(registry.parties.get(partyId)!.signing, replyBytes(answer.header, answer.content, payload), answer.signature)
  return { header: answer.header, reply: decodeReply(answer.content), isSigned }
}
