/** One peer for whom bytes may wait. */
export type Debtor = {
  /** Bytes that wait for the peer. */
  pending(): number
  /** Gives up on the peer, and forgets what waits for it. */
  cutOff(): void
}

export type Backlog = {
  join(debtor: Debtor): void
  leave(debtor: Debtor): void
  /** To be called when more waits for the debtor than before. */
  grew(debtor: Debtor): void
}

export type BacklogLimits = { maxDebtors: number; maxEach: number; maxAll: number }

/** Bounds what waits for peers that read too slowly: who has too much is cut off, and when all together have too much, who has most. */
export function createBacklog({ maxDebtors, maxEach, maxAll }: BacklogLimits): Backlog {
  const debtors = new Set<Debtor>()
  /** While nobody is above it, all together cannot be above `maxAll`. */
  const fairShare = maxAll / maxDebtors

  return {
    join: (debtor) => debtors.add(debtor),
    leave: (debtor) => debtors.delete(debtor),
    grew(debtor) {
      const bytes = debtor.pending()
      if (bytes > maxEach) debtor.cutOff()
      else if (bytes > fairShare) {
        let total = 0
        let most = debtor
        for (const other of debtors) {
          total += other.pending()
          if (other.pending() > most.pending()) most = other
        }
        if (total > maxAll) most.cutOff()
      }
    },
  }
}
