import type { Commit, Log } from './log.ts'

export type CommitQueue = {
  /** Runs `work` before the next commit. Resolves when what it appended is durable; rejects when `work` or the commit failed. */
  submit<T>(work: () => T): Promise<T>
  /** Calls `listener` after every commit that stored events. Returns how to stop. */
  onCommit(listener: (commit: Commit) => void): () => void
}

type Waiting = { work: () => unknown; resolve: (result: unknown) => void; reject: (reason: unknown) => void }

/** A commit takes no further work once it is so large. */
const COMMIT_BYTES = 4 * 1024 * 1024

/**
 * Group commit: whatever arrives in one turn of the event loop is stored together, and what arrives while that is being written goes into
 * the next commit. `work` answers with an outcome when it declines; it throws only when something failed.
 */
export function createCommitQueue(log: Log, report: (line: string) => void): CommitQueue {
  let waiting: Waiting[] = []
  const listeners = new Set<(commit: Commit) => void>()

  function flush(): void {
    const staged: { writer: Waiting; result: unknown }[] = []
    let taken = 0
    for (const next of waiting) {
      if (log.stagedBytes() >= COMMIT_BYTES) break
      taken += 1
      try {
        staged.push({ writer: next, result: log.stage(next.work) })
      } catch (error) {
        next.reject(error)
      }
    }
    waiting = waiting.slice(taken)
    if (waiting.length > 0) setImmediate(flush)
    let commit: Commit
    try {
      commit = log.commit()
    } catch (error) {
      report(`a commit of ${staged.length} writes failed: ${error instanceof Error ? error.message : 'unknown error'}`)
      for (const { writer } of staged) writer.reject(error)
      return
    }
    for (const { writer, result } of staged) writer.resolve(result)
    if (commit.streams.size > 0) for (const listener of listeners) listener(commit)
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
