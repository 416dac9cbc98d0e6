/** Why the signal of `within` is aborted when its time is over. */
export const TIMED_OUT = Symbol('timed out')

/**
 * Does something with a signal that is aborted when the time is over or the outer signal is. Nothing is left hanging on the outer one, which may live
 * as long as the process (`AbortSignal.any` leaves something there in some versions of Node).
 */
export async function within<T>(ms: number, outer: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const inner = new AbortController()
  const abort = () => inner.abort(outer.reason)
  const timer = setTimeout(() => inner.abort(TIMED_OUT), ms)
  outer.addEventListener('abort', abort)
  if (outer.aborted) abort()
  try {
    return await work(inner.signal)
  } finally {
    clearTimeout(timer)
    outer.removeEventListener('abort', abort)
  }
}
