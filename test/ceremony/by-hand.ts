/** A coordinator that does what the test wants, one request at a time. */
import { presign } from '../../commands/processes/presigning.ts'
import type { CeremonyReply, SigningRequest } from '../../domain/ceremony/messages.ts'
import type { Opening } from '../../domain/ceremony/opening.ts'
import type { Authorisation } from '../../domain/key-share/events.ts'
import type { ExistingKeyShare } from '../../domain/key-share/key-share.ts'
import { protocolOf } from '../../domain/threshold/registry.ts'
import type { TestSystem } from './system.ts'

const TIMEOUT_MS = 20_000

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

/** Openings of these signers that go together. @throws when one refuses */
export async function openingsOf(system: TestSystem, key: ExistingKeyShare, signers: readonly string[]): Promise<readonly Opening[]> {
  if (protocolOf(key.scheme).signing.openedBy === 'each') return Promise.all(signers.map((id) => openingOf(system, key, id)))
  const { channel, identities } = system
  return presign({ channel, witness: identities.witness }, { ...key, publicKey: key.publicKey! }, { signers, timeoutMs: TIMEOUT_MS })
}

const authorisations = new WeakMap<TestSystem, Map<string, Authorisation>>()

/** The request that the client makes for a signature over some bytes: one and the same whenever it is asked for. */
export function authorisationOf(system: TestSystem, { keyId }: ExistingKeyShare, message: Uint8Array): Authorisation {
  const known = authorisations.get(system) ?? new Map<string, Authorisation>()
  authorisations.set(system, known)
  const data = Buffer.from(message).toString('hex')
  const authorisation =
    known.get(`${keyId}/${data}`) ??
    system.authorise(`/v1/keys/${keyId}/signatures`, { payload: { kind: 'message', encoding: 'hex', data } })
  known.set(`${keyId}/${data}`, authorisation)
  return authorisation
}

export type SignatureByHand = { sessionId: string; attempt?: number; message: Uint8Array; openings: readonly Opening[] }

export function taskOf(
  system: TestSystem,
  key: ExistingKeyShare,
  { message, openings }: Pick<SignatureByHand, 'message' | 'openings'>,
): SigningRequest {
  return {
    share: referenceTo(key),
    path: 'm',
    openings,
    authorisation: authorisationOf(system, key, message),
    approvals: [],
    transaction: null,
  }
}

/** What a party answers when it is asked to sign together with others. */
export function askToSignTogether(
  system: TestSystem,
  key: ExistingKeyShare,
  to: string,
  { sessionId: ceremonyId, attempt = 1, message, signers }: Omit<SignatureByHand, 'openings'> & { signers: readonly string[] },
): Promise<CeremonyReply> {
  const header = { scheme: key.scheme, kind: 'signing', ceremonyId, attempt, round: 1, to } as const
  const task = {
    share: referenceTo(key),
    path: 'm',
    signers,
    authorisation: authorisationOf(system, key, message),
    approvals: [],
    transaction: null,
  }
  return system.channel.ask(header, { type: 'signTogether', task }, { timeoutMs: TIMEOUT_MS })
}

/** What a party answers when it is asked to sign. */
export function askToSign(system: TestSystem, key: ExistingKeyShare, to: string, signature: SignatureByHand): Promise<CeremonyReply> {
  const { sessionId: ceremonyId, attempt = 1 } = signature
  const header = { scheme: key.scheme, kind: 'signing', ceremonyId, attempt, round: 1, to } as const
  return system.channel.ask(header, { type: 'sign', task: taskOf(system, key, signature) }, { timeoutMs: TIMEOUT_MS })
}
