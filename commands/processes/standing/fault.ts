import type { PartyStanding } from './party-standing.ts'

type Fault = Parameters<PartyStanding['failed']>[1]

/** Refusals for which the party has reasons of its own. With all others it has done what it should. */
const OWN_TROUBLE: readonly string[] = ['busy', 'vault_unavailable', 'share_unreadable', 'unknown_key', 'fenced', 'internal']

/** What a party's refusal says against it; undefined when it is the request that is to blame, or another party that is accused. */
export const faultOfRefusal = (code: string): Fault | undefined => (OWN_TROUBLE.includes(code) ? 'refused' : undefined)
