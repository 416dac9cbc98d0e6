/** The coordinator's place in an attacker's hands: requests go straight to a party, with no API in front of it and nothing recorded. */
import { randomUUID } from 'node:crypto'
import type { CeremonyReply, CeremonyRequest, KeyRequest, PolicyChange, SigningRequest } from '../../domain/ceremony/messages.ts'
import type { Authorisation } from '../../domain/key-share/events.ts'
import type { ExistingKeyShare } from '../../domain/key-share/key-share.ts'
import { readWantedSignature } from '../../domain/signing-session/payload.ts'
import type { Scheme } from '../../domain/threshold/scheme.ts'
import { askToOpen, referenceTo } from '../ceremony/by-hand.ts'
import { startTestSystem, type TestSystem } from '../ceremony/system.ts'

/** Keys are of this party alone, so that its word is the signature. */
export const PARTY = 'party-1'
const timeoutMs = 20_000
let asked = 0

export const startAttackedSystem = (): Promise<TestSystem> => startTestSystem({ parties: 1 })

export const post = (path: string, body: object) => ({ method: 'POST', path, body: JSON.stringify(body) })

export const message = (text: string) => ({ payload: { kind: 'message', encoding: 'utf8', data: text } })

export const signatureRequest = ({ keyId }: { keyId: string }, body: object = message('pay nobody')) =>
  post(`/v1/keys/${keyId}/signatures`, body)

/** The path that the client has asked for; of what cannot be read, none. */
function pathIn({ body }: { body: string }): string {
  try {
    return readWantedSignature(body).path
  } catch {
    return 'm'
  }
}

/** Has the party sign, in an attempt of its own. `contributed` means that the attacker has the signature. */
export async function askToSign(
  system: TestSystem,
  key: ExistingKeyShare,
  task: Pick<SigningRequest, 'authorisation'> & Partial<SigningRequest>,
  sessionId: string = randomUUID(),
): Promise<CeremonyReply> {
  const header = { scheme: key.scheme, kind: 'signing', ceremonyId: sessionId, attempt: ++asked, round: 1, to: PARTY } as const
  const opened = await askToOpen(system, key, PARTY)
  if (opened.type !== 'opened') return opened
  const common = { share: referenceTo(key), path: pathIn(task.authorisation), openings: opened.openings, approvals: [], transaction: null }
  return system.channel.ask(header, { type: 'sign', task: { ...common, ...task } }, { timeoutMs })
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
