import type { Commit, Log } from './log.ts'

export type CommitQueue = {
  /** Runs `work` in the next commit. Resolves when it has been fsynced; rejects when the store failed. */
  submit<T>(work: () => T): Promise<T>
  /** Calls `listener` after every commit that stored events. Returns how to stop. */
  onCommit(listener: (commit: Commit) => void): () => void
}

/**
 * Group commit: whatever arrives in one turn of the event loop goes into one transaction, and what arrives while that one is being
 * written goes into the next. `work` answers with an outcome when it declines; it throws only when the store fails, and then none of
 * the transaction's work was stored.
 */
export function createCommitQueue(log: Log, report: (line: string) => void): CommitQueue {
  type Waiting = { work: () => unknown; resolve: (result: unknown) => void; reject: (reason: unknown) => void }
  let waiting: Waiting[] = []
  const listeners = new Set<(commit: Commit) => void>()

  function flush(): void {
    const batch = waiting
    waiting = []
    try {
      const { result, commit } = log.transaction(() => batch.map(({ work }) => work()))
      batch.forEach(({ resolve }, index) => {
        resolve(result[index])
      })
      if (commit.streams.size > 0) for (const listener of listeners) listener(commit)
    } catch (error) {
      report(`a commit of ${batch.length} writes failed: ${error instanceof Error ? error.message : 'unknown error'}`)
      for (const { reject } of batch) reject(error)
    }
  }

  return {
    submit<T>(work: () => T) {
      return new Promise<T>((resolve, reject) => {
        if (waiting.length === 0) setImmediate(flush)
        waiting.push({ work, resolve: resolve as (result: unknown) => void, reject })
      })
    },
    onCommit(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
