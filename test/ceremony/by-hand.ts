/** A coordinator that does what the test wants, one request at a time. */
import type { CeremonyReply, SigningRequest } from '../../domain/ceremony/messages.ts'
import type { Opening } from '../../domain/ceremony/opening.ts'
import type { ExistingKeyShare } from '../../domain/key-share/key-share.ts'
import type { TestSystem } from './system.ts'

const TIMEOUT_MS = 5_000

export function referenceTo({ keyId, epoch, attempt, publicKey }: ExistingKeyShare) {
  return { keyId, epoch, attempt, publicKey: new Uint8Array(Buffer.from(publicKey ?? '', 'hex')) }
}

/** What a party answers when it is asked to open. */
export function askToOpen({ channel }: TestSystem, key: ExistingKeyShare, to: string, count = 1): Promise<CeremonyReply> {
  const header = { scheme: key.scheme, kind: 'opening', ceremonyId: key.keyId, attempt: 1, round: 1, to } as const
  return channel.ask(header, { type: 'open', share: referenceTo(key), count }, { timeoutMs: TIMEOUT_MS })
}

/** @throws Error when the party refuses */
export async function openingOf(system: TestSystem, key: ExistingKeyShare, to: string): Promise<Opening> {
  const reply = await askToOpen(system, key, to)
  if (reply.type !== 'opened') throw new Error(`${to} does not open: ${JSON.stringify(reply)}`)
  return reply.openings[0]!
}

/** The request that a client makes for a signature over some bytes. */
export function authorisationOf(key: ExistingKeyShare, message: Uint8Array) {
  const body = JSON.stringify({ payload: { kind: 'message', encoding: 'hex', data: Buffer.from(message).toString('hex') } })
  return { method: 'POST', path: `/v1/keys/${key.keyId}/signatures`, body, intent: null }
}

export type SignatureByHand = { sessionId: string; attempt?: number; message: Uint8Array; openings: readonly Opening[] }

export function taskOf(key: ExistingKeyShare, { message, openings }: Pick<SignatureByHand, 'message' | 'openings'>): SigningRequest {
  return { share: referenceTo(key), path: 'm', openings, authorisation: authorisationOf(key, message), approvals: [] }
}

/** What a party answers when it is asked to sign. */
export function askToSign({ channel }: TestSystem, key: ExistingKeyShare, to: string, signature: SignatureByHand): Promise<CeremonyReply> {
  const { sessionId: ceremonyId, attempt = 1 } = signature
  const header = { scheme: key.scheme, kind: 'signing', ceremonyId, attempt, round: 1, to } as const
  return channel.ask(header, { type: 'sign', task: taskOf(key, signature) }, { timeoutMs: TIMEOUT_MS })
}
