/** How the parties have been doing, and whom to ask therefore. */
export interface PartyStanding {
  /**
   * The parties that may be asked, the likeliest to answer well first; those whose breaker is open are left out unless without them fewer than `needed`
   * remain.
   */
  rank(parties: readonly string[], needed: number): string[]
  /** Milliseconds to wait for this party's answer in a round. */
  timeoutMs(partyId: string): number
  answered(partyId: string, milliseconds: number): void
  /** `kind`: absent (no answer), refused, or proven wrong. */
  failed(partyId: string, kind: 'absent' | 'refused' | 'proven'): void
}
