import type { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'

export type ReadyOptions = {
  signal: AbortSignal
  /** Most items in a batch. */
  limit: number
  /** After this long without an item, and again each time as long later, `stillThere` is asked; when it throws, so does the iteration. */
  silenceMs: number
  stillThere(): Promise<void>
}

/**
 * The items of an object stream, which may still be on its way, in batches of what is ready, at least one, as fast as the consumer takes them: no more
 * than `limit` wait, so that back-pressure reaches the server. Ends when the signal aborts; throws what the stream fails with, and when the stream
 * ends by itself.
 */
export async function* ready<Item>(
  source: Readable | Promise<Readable>,
  { signal, limit, silenceMs, stillThere }: ReadyOptions,
): AsyncGenerator<Item[]> {
  let items: Item[] = []
  let stream: Readable | undefined
  let failure: unknown
  let wake = () => {}
  const aborted = () => wake()
  const failed = (error: unknown) => {
    failure ??= error ?? new Error('the stream failed')
    wake()
  }
  const ended = () => failed(new Error('the stream ended'))
  const arrived = (item: Item) => {
    items.push(item)
    if (items.length >= limit) stream?.pause()
    wake()
  }
  const attach = (opened: Readable) => {
    stream = opened.on('data', arrived).on('error', failed).on('end', ended).on('close', ended)
  }
  signal.addEventListener('abort', aborted)
  if (source instanceof Promise) source.then(attach, failed)
  else attach(source)
  try {
    for (;;) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve
      })
      if (signal.aborted) return
      if (items.length > 0) {
        const batch = items
        items = []
        stream?.resume()
        yield batch
        continue
      }
      if (failure) throw failure
      await wokenOrStillThere(woken, silenceMs, stillThere)
      // What came over the network together is handed on one by one, all of it before this.
      await setImmediate()
    }
  } finally {
    signal.removeEventListener('abort', aborted)
    // Errors are listened to for ever: one that comes late must not end the process.
    stream?.off('data', arrived).off('end', ended).off('close', ended)
  }
}

async function wokenOrStillThere(woken: Promise<void>, silenceMs: number, stillThere: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<void>((resolve, reject) => {
    timer = setTimeout(() => stillThere().then(resolve, reject), silenceMs)
  })
  try {
    await Promise.race([woken, silence])
  } finally {
    clearTimeout(timer)
    silence.catch(() => {})
  }
}
