/** What the outside must provide to know the parties of this deployment, and how they are. */

/** What a party says of itself, as JSON on `quorate.party.<partyId>.health`. Not signed: for choosing whom to ask, never for trust. */
export type PartyHealth = {
  partyId: string
  pid: number
  /** RFC 3339. */
  startedAt: string
  version: string
  vault: string
  /** Whether the vault opens what it has sealed. */
  keysOpen: boolean
  shares: number
  /** Counterparties that it signs with no more, but has not been able to write down: it forgets them when it ends. */
  unwrittenBans: number
  openCeremonies: number
  /** Whether it signs nothing until an operator says so, because its store is older than what it has signed. */
  fenced: boolean
  /** Claims that its ledger has refused since it started, each an attempt to have something signed twice. */
  claimsRefused: number
  /** Messages since its start that nobody in the registry had signed for it, or that were none. */
  refusedMessages: number
}

export interface PartyDirectory {
  readonly ids: readonly string[]
  /** Whether the party has been heard of lately. */
  isUp(partyId: string): boolean
  /** The last that was heard of it. */
  health(partyId: string): PartyHealth | undefined
}
