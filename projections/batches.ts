/**
 * Items in batches of whatever is ready, at most `limit`; waits for the first of each batch only. When `idleMs` pass without any item
 * the batch is empty, so that the consumer can look after itself.
 */
export async function* batches<T>(items: AsyncIterable<T>, { limit, idleMs }: { limit: number; idleMs: number }): AsyncGenerator<T[]> {
  const iterator = items[Symbol.asyncIterator]()
  let next: Promise<IteratorResult<T>> | undefined
  try {
    for (;;) {
      next ??= iterator.next()
      const first = await settledWithin(next, idleMs)
      if (first === undefined) {
        yield []
        continue
      }
      next = undefined
      if (first.done) return
      const batch = [first.value]
      while (batch.length < limit) {
        next = iterator.next()
        const following = await settledWithin(next, 0)
        if (following === undefined) break
        next = undefined
        if (following.done) {
          yield batch
          return
        }
        batch.push(following.value)
      }
      yield batch
    }
  } finally {
    // Not waited for: a source that is being waited for itself ends only when its own signal says so.
    next?.catch(() => {})
    iterator.return?.().catch(() => {})
  }
}

/** The value, or undefined when it is not there in time; a promise that is about to settle counts as settled. */
async function settledWithin<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let cancel = () => {}
  const late = new Promise<undefined>((resolve) => {
    if (ms === 0) {
      const immediate = setImmediate(resolve, undefined)
      cancel = () => clearImmediate(immediate)
    } else {
      const timer = setTimeout(resolve, ms, undefined)
      cancel = () => clearTimeout(timer)
    }
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    cancel()
  }
}
