import { setImmediate as turn } from 'node:timers/promises'

/**
 * Reads on while the consumer is at work, and hands it all that has come meanwhile as one batch: the slower the consumer, the larger its batches.
 * Nothing more is read while `limit` items or more wait, so that no more than `limit` and one batch of the source are ever held.
 * Once it is left the source goes on until its own signal ends it.
 */
export function readAhead<T>(source: AsyncIterable<readonly T[]>, { limit }: { limit: number }): ReadAhead<T> {
  let waiting: T[] = []
  let state: 'reading' | 'ended' | { failure: unknown } = 'reading'
  let left = false
  let arrived = () => {}
  let taken = () => {}

  async function read(): Promise<void> {
    try {
      for await (const items of source) {
        for (const item of items) waiting.push(item)
        arrived()
        // What has come meanwhile comes as one: what is read one by one costs several times as much.
        await turn()
        while (waiting.length >= limit && !left) {
          await new Promise<void>((resolve) => {
            taken = resolve
          })
        }
        if (left) return
      }
      state = 'ended'
    } catch (failure) {
      state = { failure }
    }
    arrived()
  }

  async function* batches(): AsyncGenerator<readonly T[]> {
    void read()
    try {
      for (;;) {
        if (waiting.length > 0) {
          const batch = waiting
          waiting = []
          taken()
          yield batch
        } else if (state === 'ended') return
        else if (state !== 'reading') throw state.failure
        else
          await new Promise<void>((resolve) => {
            arrived = resolve
          })
      }
    } finally {
      left = true
      taken()
    }
  }

  return { batches: batches(), waiting: () => waiting.length }
}

export type ReadAhead<T> = {
  batches: AsyncIterable<readonly T[]>
  /** How many items have been read and not handed out. */
  waiting(): number
}
