import { createBoundedMap } from '../log/bounded-map.ts'
import type { Log, Page } from '../log/log.ts'

/** Pages that reach the log's end, of so many streams or readers at different places. */
const MOST_PAGES = 64

/**
 * The same log for many that follow it: what one of them has read of its end is given to the others as it is, the very same events, until
 * the log has grown. It must not be read while something is being stored.
 */
export function shareNewestPages(log: Log): Log {
  let pages = createBoundedMap<string, Page>(MOST_PAGES)
  let head = log.head()

  function shared(key: string, read: () => Page): Page {
    if (log.head() !== head) {
      head = log.head()
      pages = createBoundedMap(MOST_PAGES)
    }
    const known = pages.get(key)
    if (known) return known
    const page = read()
    if (page.next === undefined) pages.set(key, page)
    return page
  }

  return {
    ...log,
    readStream: (stream, from, direction, most) =>
      direction === 'forwards' && most === Number.POSITIVE_INFINITY
        ? shared(`${from}@${stream}`, () => log.readStream(stream, from, direction, most))
        : log.readStream(stream, from, direction, most),
    readAll: (from, direction, most) =>
      direction === 'forwards' && most === Number.POSITIVE_INFINITY
        ? shared(String(from), () => log.readAll(from, direction, most))
        : log.readAll(from, direction, most),
  }
}
