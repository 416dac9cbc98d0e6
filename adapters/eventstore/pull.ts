import type { Readable } from 'node:stream'

/** Something that a stream says beside its items, through a callback, after every item it has pushed so far. */
export type SideChannel<T> = { take(): T | undefined; onArrival(wake: () => void): void }

/**
 * Items of an object stream one by one, as fast as the consumer takes them, so that back-pressure reaches the server.
 * What came on the side channel is yielded only once every item pushed before it has been taken.
 * Ends when the signal aborts; throws what the stream fails with, and when the stream ends by itself.
 */
export async function* pull<Item, Side>(
  stream: Readable,
  side: SideChannel<Side>,
  signal: AbortSignal,
): AsyncGenerator<{ item: Item } | { side: Side }> {
  let failure: unknown
  let ended = false
  let wake = () => {}
  const arrived = () => wake()
  const failed = (error: unknown) => {
    failure = error ?? new Error('the stream failed')
    wake()
  }
  const finished = () => {
    ended = true
    wake()
  }
  stream.on('readable', arrived).on('error', failed).on('end', finished).on('close', finished)
  side.onArrival(arrived)
  signal.addEventListener('abort', arrived)
  try {
    for (;;) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve
      })
      if (signal.aborted) return
      const item = stream.read() as Item | null
      if (item !== null) {
        yield { item }
        continue
      }
      const aside = side.take()
      if (aside !== undefined) {
        yield { side: aside }
        continue
      }
      if (failure) throw failure
      if (ended) throw new Error('the stream ended')
      await woken
    }
  } finally {
    signal.removeEventListener('abort', arrived)
    stream.off('readable', arrived).off('end', finished).off('close', finished)
  }
}
