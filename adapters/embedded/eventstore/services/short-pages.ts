import type { Log } from '../log/log.ts'

/** About as much as is sent at once. A caller that stops reading holds on to one page. */
const PAGE_EVENTS = 128

/** The same log, read in shorter pages. */
export function inShortPages(log: Log): Log {
  return {
    ...log,
    readStream: (stream, from, direction, most) => log.readStream(stream, from, direction, Math.min(most, PAGE_EVENTS)),
    readAll: (from, direction, most) => log.readAll(from, direction, Math.min(most, PAGE_EVENTS)),
  }
}
