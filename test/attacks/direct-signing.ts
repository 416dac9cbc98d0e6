/** A coordinator that asks one party for signatures by hand, as often and in whatever order it likes: with a key of one of one, a contribution is a signature. */
import { heardBy } from '../../commands/processes/rounds.ts'
import type { CeremonyReply, CeremonyRequest } from '../../domain/ceremony/messages.ts'
import type { Said } from '../../domain/ceremony/statements.ts'
import type { PartyChannel } from '../../domain/ports/party-channel.ts'
import type { Scheme } from '../../domain/threshold/scheme.ts'

export type SoleKey = { keyId: string; attempt: number; scheme: Scheme; publicKey: Uint8Array }

/** One attempt at a session of a key that one party holds alone. */
export type Attempt = { channel: PartyChannel; key: SoleKey; party: string; sessionId: string; attempt: number }

const AUTHORISATION = { method: 'POST', path: '/v1/keys', body: '{}', intent: null }
const TIMEOUT_MS = 10_000

export function openSigning(to: Attempt): Promise<CeremonyReply> {
  const { keyId, attempt, publicKey } = to.key
  return ask(to, 1, { type: 'openSigning', share: { keyId, attempt, publicKey } })
}

/** What the party is asked after an opening. */
export function signRequest({ party }: Attempt, opening: Said, message: Uint8Array): CeremonyRequest {
  const task = { message, signers: [party], authorisation: AUTHORISATION }
  return { type: 'sign', task, heard: heardBy(party, new Map([[party, opening]])) }
}

export const askToSign = (to: Attempt, request: CeremonyRequest, timeoutMs = TIMEOUT_MS): Promise<CeremonyReply> =>
  ask(to, 2, request, timeoutMs)

/** @throws when the party refuses to open */
export async function opened(to: Attempt): Promise<Said> {
  const reply = await openSigning(to)
  if (reply.type !== 'said') throw new Error(`${to.party} does not open: ${JSON.stringify(reply)}`)
  return reply
}

function ask(to: Attempt, round: number, request: CeremonyRequest, timeoutMs = TIMEOUT_MS): Promise<CeremonyReply> {
  const { channel, key, party, sessionId, attempt } = to
  const header = { scheme: key.scheme, kind: 'signing', ceremonyId: sessionId, attempt, round, to: party } as const
  return channel.ask(header, request, { timeoutMs })
}
