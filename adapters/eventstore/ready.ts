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
 * The items of an object stream in batches of what is ready, at least one, as fast as the consumer takes them, so that back-pressure
 * reaches the server. Ends when the signal aborts; throws what the stream fails with, and when the stream ends by itself.
 */
export async function* ready<Item>(stream: Readable, { signal, limit, silenceMs, stillThere }: ReadyOptions): AsyncGenerator<Item[]> {
  let failure: unknown
  let wake = () => {}
  const arrived = () => wake()
  const failed = (error: unknown) => {
    failure ??= error ?? new Error('the stream failed')
    wake()
  }
  const ended = () => failed(new Error('the stream ended'))
  stream.on('readable', arrived).on('error', failed).on('end', ended).on('close', ended)
  signal.addEventListener('abort', arrived)
  try {
    for (;;) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve
      })
      if (signal.aborted) return
      const items = takeReady<Item>(stream, limit)
      if (items.length > 0) {
        yield items
        continue
      }
      if (failure) throw failure
      await wokenOrStillThere(woken, silenceMs, stillThere)
      // What came over the network together is handed on one by one, all of it before this.
      await setImmediate()
    }
  } finally {
    signal.removeEventListener('abort', arrived)
    // Errors are listened to for ever: one that comes late must not end the process.
    stream.off('readable', arrived).off('end', ended).off('close', ended)
  }
}

function takeReady<Item>(stream: Readable, limit: number): Item[] {
  const items: Item[] = []
  while (items.length < limit) {
    const item = stream.read() as Item | null
    if (item === null) break
    items.push(item)
  }
  return items
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
