import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { ArchivePlace } from '../../adapters/archive/open-store.ts'
import type { CheckedSegment, CheckSegment } from '../../audit/archive/checking-segment.ts'

/** Each takes some 120 MiB, and all together are to stay below 512. */
const MOST = 3
/** What is unpacked is soon garbage: where there is little room for it, moving it about takes a third of the time. */
const YOUNG_GENERATION_MB = 24

export type SegmentThreads = {
  readonly check: CheckSegment
  /** Checks to ask for at once, so that none of the threads waits. */
  readonly atOnce: number
  close(): Promise<void>
}

/** Threads that check segments of an archive; undefined where more than this one would take longer. */
export function startSegmentThreads(place: ArchivePlace, segments: number): SegmentThreads | undefined {
  const count = Math.min(segments, availableParallelism(), MOST)
  if (count < 2) return undefined
  const waiting: { take(thread: Worker): void; giveUp(error: unknown): void }[] = []
  let failure: unknown
  /** A thread that has failed is gone, and so may be all that another check waits for. */
  const fail = (error: unknown) => {
    failure ??= error
    for (const { giveUp } of waiting.splice(0)) giveUp(failure)
  }
  const threads = Array.from({ length: count }, () => startThread(place).on('error', fail))
  const idle = [...threads]
  const free = (thread: Worker) => {
    const next = waiting.shift()
    if (next) next.take(thread)
    else idle.push(thread)
  }
  return {
    atOnce: count + 1,
    async check(manifest) {
      if (failure !== undefined) throw failure
      const thread = idle.pop() ?? (await new Promise<Worker>((take, giveUp) => waiting.push({ take, giveUp })))
      thread.postMessage(manifest)
      // Rejects with what the thread has failed with.
      const [checked] = (await once(thread, 'message')) as [CheckedSegment]
      free(thread)
      return checked
    },
    async close() {
      await Promise.all(threads.map((thread) => thread.terminate()))
    },
  }
}

function startThread(place: ArchivePlace): Worker {
  return new Worker(new URL('./segment-thread.js', import.meta.url), {
    workerData: place,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
  })
}
