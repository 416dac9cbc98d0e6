type Waiting = { carryOut(): void; settle(): void; fail(error: unknown): void }

export interface CommitGroups {
  /** Carries out the work in a transaction, together with what else is waiting; resolves once it is committed. What the work throws is its own outcome. */
  add<Result>(work: () => Result): Promise<Result>
  /** Commits what is waiting. */
  flush(): void
}

const LARGEST_GROUP = 256

/**
 * Commits several pieces of work at once, because it is the sync of a commit that takes the time. `isOutcome` tells what a piece of work may throw
 * without having changed anything; anything else undoes the whole group.
 */
export function groupCommits(transaction: (work: () => void) => void, isOutcome: (error: unknown) => boolean): CommitGroups {
  const waiting: Waiting[] = []

  const commit = (group: readonly Waiting[]) => {
    try {
      transaction(() => {
        for (const { carryOut } of group) carryOut()
      })
    } catch (error) {
      for (const { fail } of group) fail(error)
      return
    }
    for (const { settle } of group) settle()
  }
  const flush = () => {
    while (waiting.length > 0) commit(waiting.splice(0, LARGEST_GROUP))
  }

  return {
    flush,
    add: (work) =>
      new Promise((resolve, reject) => {
        let settle = () => {}
        const carryOut = () => {
          try {
            const result = work()
            settle = () => resolve(result)
          } catch (error) {
            if (!isOutcome(error)) throw error
            settle = () => reject(error)
          }
        }
        if (waiting.length === 0) setImmediate(flush)
        waiting.push({ carryOut, settle: () => settle(), fail: reject })
      }),
  }
}
