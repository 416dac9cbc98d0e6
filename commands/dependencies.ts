import type { VerifyJws } from '../domain/authorisation/intent.ts'
import type { Coordinators } from '../domain/ports/coordinators.ts'
import type { PartyDirectory } from '../domain/ports/party-directory.ts'
import type { AggregateLog } from './load.ts'

/** What every command handler needs from outside. */
export type CommandDependencies = { log: AggregateLog; parties: PartyDirectory; coordinators: Coordinators; verify: VerifyJws }
