/** The coordinator's place in an attacker's hands: requests go straight to a party, with no API in front of it and nothing recorded. */
import { randomUUID } from 'node:crypto'
import type { CeremonyReply, CeremonyRequest, KeyRequest, PolicyChange, SigningRequest } from '../../domain/ceremony/messages.ts'
import type { Authorisation } from '../../domain/key-share/events.ts'
import type { ExistingKeyShare } from '../../domain/key-share/key-share.ts'
import { messageToSign, readWantedSignature } from '../../domain/signing-session/payload.ts'
import { protocolOf } from '../../domain/threshold/registry.ts'
import type { Scheme } from '../../domain/threshold/scheme.ts'
import { startTestSystem, type TestSystem } from '../ceremony/system.ts'

/** Keys are of this party alone, so that its word is the signature. */
export const PARTY = 'party-1'
const timeoutMs = 5_000
let asked = 0

export const startAttackedSystem = (): Promise<TestSystem> => startTestSystem({ parties: 1 })

export const post = (path: string, body: object) => ({ method: 'POST', path, body: JSON.stringify(body) })

export const message = (text: string) => ({ payload: { kind: 'message', encoding: 'utf8', data: text } })

export const signatureRequest = ({ keyId }: { keyId: string }, body: object = message('pay nobody')) =>
  post(`/v1/keys/${keyId}/signatures`, body)

/** What the client has asked for, as the scheme signs it; of what cannot be read, nothing. */
export function messageOf({ scheme }: { scheme: Scheme }, { body }: { body: string }): Uint8Array {
  try {
    return messageToSign(readWantedSignature(body).payload, { rawDigests: true }, protocolOf(scheme).message)
  } catch {
    return new Uint8Array(32)
  }
}

/** Has the party sign, in an attempt of its own. `contributed` means that the attacker has the signature. */
export async function askToSign(
  { channel }: TestSystem,
  key: ExistingKeyShare,
  task: Pick<SigningRequest, 'authorisation'> & Partial<SigningRequest>,
  sessionId: string = randomUUID(),
): Promise<CeremonyReply> {
  const { scheme, keyId, attempt, publicKey } = key
  const header = { scheme, kind: 'signing', ceremonyId: sessionId, attempt: ++asked, to: PARTY } as const
  const share = { keyId, attempt, publicKey: Buffer.from(publicKey!, 'hex') }
  const opened = await channel.ask({ ...header, round: 1 }, { type: 'openSigning', share }, { timeoutMs })
  if (opened.type !== 'said') return opened
  const request: CeremonyRequest = {
    type: 'sign',
    task: { message: messageOf(key, task.authorisation), signers: [PARTY], approvals: [], ...task },
    heard: { statements: [{ from: PARTY, statement: opened.statement }], secrets: [] },
  }
  return channel.ask({ ...header, round: 2 }, request, { timeoutMs })
}

/** Has the party begin a key of its own. `said` means that it takes part. */
export function askToGenerate({ channel }: TestSystem, key: Omit<KeyRequest, 'keyId' | 'parties'> & Partial<KeyRequest>, scheme: Scheme) {
  const keyId = key.keyId ?? randomUUID()
  const request: CeremonyRequest = { type: 'generateKey', key: { parties: [PARTY], ...key, keyId } }
  return channel.ask({ scheme, kind: 'key-generation', ceremonyId: keyId, attempt: 2, round: 1, to: PARTY }, request, { timeoutMs })
}

export function askToDestroy({ channel }: TestSystem, { scheme, keyId }: ExistingKeyShare, authorisation: Authorisation) {
  const header = { scheme, kind: 'revocation', ceremonyId: keyId, attempt: 1, round: 1, to: PARTY } as const
  return channel.ask(header, { type: 'destroyShares', keyId, authorisation }, { timeoutMs })
}

export function askToChangePolicy({ channel }: TestSystem, { scheme, keyId }: ExistingKeyShare, change: Omit<PolicyChange, 'keyId'>) {
  const header = { scheme, kind: 'policy-change', ceremonyId: keyId, attempt: change.version, round: 1, to: PARTY } as const
  return channel.ask(header, { type: 'changePolicy', change: { keyId, ...change } }, { timeoutMs })
}
