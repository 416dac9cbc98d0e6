import type { CommitQueue } from '../log/commit-queue.ts'
import type { Log } from '../log/log.ts'

/** What the services share. */
export type Store = { log: Log; commits: CommitQueue }
