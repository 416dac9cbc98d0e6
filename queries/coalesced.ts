/**
 * The work, such that callers share a run of it: one that has begun already may have missed what the caller has just seen, so it is the next run
 * that they share. However many callers there are, one run is under way and at most one waits.
 */
export function coalesced(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined
  const start = () => {
    next = undefined
    running = work().finally(() => {
      running = undefined
    })
    return running
  }
  return () => {
    if (!running) return start()
    next ??= running.then(start, start)
    return next
  }
}
