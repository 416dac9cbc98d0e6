import { randomUUID } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import type { CommitQueue } from '../log/commit-queue.ts'
import type { Log } from '../log/log.ts'
import type { Discards } from '../log/rewriting.ts'
import { hideOldCheckpoints } from '../persistent/checkpoint.ts'
import type { GroupStore } from '../persistent/group-store.ts'
import { discardsAt } from './discard-point.ts'
import { interruptedScavenge, type ScavengeEnd, writeCompleted, writeRewritten, writeStarted } from './scavenge-record.ts'

/** Segments before `startFromChunk`, which counts them from 0, are left as they are. One thread does it all, however many are wished for. */
export type ScavengeOptions = { startFromChunk: number; threads: number }

export type Scavenger = {
  /** Begins a scavenge, unless one is under way. Resolves when it is on record that it has begun. */
  start(options: ScavengeOptions): Promise<{ id: string; isNew: boolean }>
  /**
   * Resolves with its id when the scavenge has ended, of which `current` is the one under way; undefined when it is not that. What it has removed
   * by then is removed.
   */
  stop(id: string): Promise<string | undefined>
  /** Ends what is under way. */
  close(): Promise<void>
}

type Running = { id: string; isStopped: boolean; done: Promise<void> }

/** Removes what no read of a stream may show any more, when asked to, while the store goes on. `report` is told when that fails. */
export function openScavenger(
  { log, commits, groups }: { log: Log; commits: CommitQueue; groups: Pick<GroupStore, 'load'> },
  report: (line: string) => void,
): Scavenger {
  let running: Running | undefined

  async function scavenge(run: Running, startFromChunk: number): Promise<void> {
    const begun = performance.now()
    const end: ScavengeEnd = { result: 'Success', error: '', milliseconds: 0, bytes: 0, segment: 0 }
    try {
      await commits.submit(() => hideOldCheckpoints(log, groups.load()))
      const discards = discardsAt(log, Date.now())
      for (const segment of log.closeSegment().filter((number) => number > startFromChunk)) {
        await rewriteSegment(run, segment, discards, end)
        if (run.isStopped) break
      }
      if (run.isStopped) end.result = 'Stopped'
    } catch (error) {
      end.result = 'Failed'
      end.error = error instanceof Error ? error.message : 'unknown error'
      report(`scavenge ${run.id} failed: ${end.error}`)
    }
    end.milliseconds = performance.now() - begun
    await commits
      .submit(() => writeCompleted(log, run.id, end))
      .catch((error: Error) => report(`the end of scavenge ${run.id} was not recorded: ${error.message}`))
  }

  async function rewriteSegment(run: Running, segment: number, discards: Discards, end: ScavengeEnd): Promise<void> {
    const begun = performance.now()
    const rewriting = log.rewrite(segment, discards)
    for (let step = rewriting.next(); ; step = rewriting.next()) {
      if (step.done) {
        const { events, bytes } = step.value
        end.segment = segment
        end.bytes += bytes
        if (events > 0) await commits.submit(() => writeRewritten(log, run.id, { segment, bytes, milliseconds: performance.now() - begun }))
        return
      }
      await turn()
      if (run.isStopped) {
        rewriting.return({ events: 0, bytes: 0 })
        return
      }
    }
  }

  async function stop(run: Running): Promise<void> {
    run.isStopped = true
    await run.done
  }

  const interrupted = interruptedScavenge(log)
  const recovered = interrupted
    ? commits.submit(() =>
        writeCompleted(log, interrupted, {
          result: 'Interrupted',
          error: 'The server was restarted.',
          ...{ milliseconds: 0, bytes: 0, segment: 0 },
        }),
      )
    : Promise.resolve()
  recovered.catch((error: Error) => report(`the end of scavenge ${interrupted} was not recorded: ${error.message}`))

  return {
    async start(options) {
      if (running) return { id: running.id, isNew: false }
      const id = randomUUID()
      const begun = commits.submit(() => writeStarted(log, id, options))
      const run: Running = { id, isStopped: false, done: Promise.resolve() }
      running = run
      run.done = begun
        .then(() => scavenge(run, options.startFromChunk))
        .finally(() => {
          running = undefined
        })
      run.done.catch(() => {})
      await begun
      return { id, isNew: true }
    },
    async stop(id) {
      const run = running
      if (!run || (id !== run.id && id !== 'current')) return undefined
      await stop(run)
      return run.id
    },
    async close() {
      if (running) await stop(running).catch(() => {})
    },
  }
}
