import type { EventLog } from '../domain/ports/event-log.ts'
import type { PartyDirectory } from '../domain/ports/party-directory.ts'

/** What every command handler needs from outside. */
export type CommandDependencies = { log: EventLog; parties: PartyDirectory }
