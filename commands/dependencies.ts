import type { VerifyJws } from '../domain/authorisation/intent.ts'
import type { Chains } from '../domain/ports/chain.ts'
import type { ChainNodes } from '../domain/ports/chain-node.ts'
import type { Coordinators } from '../domain/ports/coordinators.ts'
import type { PartyDirectory } from '../domain/ports/party-directory.ts'
import type { Prices } from '../domain/ports/prices.ts'
import type { AggregateLog } from './load.ts'

/** What every command handler needs from outside. */
export type CommandDependencies = {
  log: AggregateLog
  parties: PartyDirectory
  coordinators: Coordinators
  verify: VerifyJws
  chains: Chains
  nodes: ChainNodes
  prices: Prices
}
