import { REFUSAL_CODES } from '../../../domain/ceremony/messages.ts'
import type { PartyStanding } from './party-standing.ts'

type Fault = Parameters<PartyStanding['failed']>[1]

/** Refusals for which the party has reasons of its own. With all others it has done what it should. */
const OWN_TROUBLE: readonly string[] = ['busy', 'vault_unavailable', 'share_unreadable', 'unknown_key', 'fenced', 'internal']

/** What a party's refusal says against it; undefined when it is the request that is to blame, or another party that is accused. */
export const faultOfRefusal = (code: string): Fault | undefined => (OWN_TROUBLE.includes(code) ? 'refused' : undefined)

/** Whether a ceremony that failed like this speaks against no party: one has refused what it should. Only in an aborted protocol is somebody accused. */
export const isNobodysFault = (code: string): boolean =>
  (REFUSAL_CODES as readonly string[]).includes(code) && code !== 'protocol_abort' && faultOfRefusal(code) === undefined
