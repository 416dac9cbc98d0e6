import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { buffersOf, type Packed } from './packed-columns.ts'
import type { ColumnShape } from './parquet-file.ts'
import type { Answer, Request } from './parquet-worker.ts'

/** Columns are soon garbage: where there is little room for it, moving it about takes a third of the time. */
const YOUNG_GENERATION_MB = 24

/** A Parquet file that another thread writes. */
export type ThreadedFile = {
  /** Waits until the group before is written: one is at work while the next is gathered. @returns how long the file is then */
  write(columns: readonly Packed[]): Promise<number>
  finish(): Promise<Uint8Array>
}

/** One whose file is finished: what it has learned to do quickly a new one would have to learn again. */
let idle: Worker | undefined

/** The thread is there for the next file, and ends with the process. */
export function parquetFileOnThread(columns: readonly ColumnShape[]): ThreadedFile {
  const worker = idle ?? startThread()
  idle = undefined
  const ask = async (request: Request): Promise<Answer> => {
    worker.ref()
    worker.postMessage(request, 'write' in request ? buffersOf(request.write) : [])
    // Rejects with what the thread has failed with.
    const [answer] = (await once(worker, 'message')) as [Answer]
    worker.unref()
    return answer
  }
  let before: Promise<Answer> = ask({ begin: columns })
  return {
    async write(group) {
      const { bytes } = await before
      before = ask({ write: group })
      // Whoever asks next hears of it.
      before.catch(() => {})
      return bytes
    },
    async finish() {
      await before
      const { content } = await ask({ finish: true })
      if (idle) await worker.terminate()
      else idle = worker
      return content!
    },
  }
}

function startThread(): Worker {
  const worker = new Worker(new URL('./parquet-worker.js', import.meta.url), {
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
  })
  worker.unref()
  // One that ends while it is idle is not the next file's; whoever waits for another hears of it by itself.
  worker.on('error', () => {
    if (idle === worker) idle = undefined
  })
  return worker
}
