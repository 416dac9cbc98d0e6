import { TOMBSTONE } from '../log/event.ts'
import type { StreamMetadata } from './stream-metadata.ts'

/** The events of a stream that a read may show: from `first` on, and recorded at or after `since` (milliseconds). */
export type Visible = { first: number; since: number }

/** `last` is the stream's last revision, `now` in milliseconds. */
export function visibleEvents({ maxCount, maxAge, truncateBefore }: StreamMetadata, last: number, now: number): Visible {
  return {
    first: Math.min(TOMBSTONE, Math.max(0, truncateBefore ?? 0, maxCount === undefined ? 0 : last - maxCount + 1)),
    since: maxAge === undefined ? 0 : now - maxAge * 1000,
  }
}
