import type { EventLog } from '../domain/ports/event-log.ts'

/** The parties of this deployment. */
export interface PartyDirectory {
  readonly ids: readonly string[]
  /** Whether the party has been heard of lately. */
  isUp(partyId: string): boolean
}

/** What every command handler needs from outside. */
export type CommandDependencies = { log: EventLog; parties: PartyDirectory }
