import type { EventSchemas } from '../upcasting/event-schema.ts'
import { fields, listOf, text } from '../upcasting/shape.ts'

/** How the coordinators came to see a party; no aggregate decides on these, they are for people to read. */
export type PartyEvent =
  /** `until` is when it may be probed, RFC 3339. */
  | { type: 'CircuitOpened'; data: { partyId: string; coordinatorId: string; reason: string; until: string } }
  | { type: 'CircuitClosed'; data: { partyId: string; coordinatorId: string; reason: string } }
  /** An order of the operator who is the actor; `coordinators` were there to hear it. */
  | { type: 'CircuitForceClosed'; data: { partyId: string; coordinators: readonly string[] } }

/** Stream of a party. */
export const partyStream = (partyId: string) => `party-${partyId}`
export const PARTY_STREAMS = 'party-'

/** What the events of a party hold, through their versions. */
export const partySchemas: EventSchemas<PartyEvent> = {
  CircuitOpened: { shape: fields({ partyId: text, coordinatorId: text, reason: text, until: text }) },
  CircuitClosed: { shape: fields({ partyId: text, coordinatorId: text, reason: text }) },
  CircuitForceClosed: { shape: fields({ partyId: text, coordinators: listOf(text) }) },
}
