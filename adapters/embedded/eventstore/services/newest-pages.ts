import { createBoundedMap } from '../log/bounded-map.ts'
import type { Log, Page } from '../log/log.ts'

/** Pages of so many streams or readers at different places. */
const MOST_PAGES = 64

/** Only what is so near the end that others are likely to want it, too. In events. */
const NEWEST = 1024

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
    pages.set(key, page)
    return page
  }

  return {
    ...log,
    readStream(stream, from, direction, most) {
      const read = () => log.readStream(stream, from, direction, most)
      const isNew = direction === 'forwards' && log.lastRevision(stream) - from < NEWEST
      return isNew ? shared(`${most} ${from} ${stream}`, read) : read()
    },
    readAll(from, direction, most) {
      const read = () => log.readAll(from, direction, most)
      return direction === 'forwards' && log.head() - from < NEWEST ? shared(`${most} ${from}`, read) : read()
    },
  }
}
