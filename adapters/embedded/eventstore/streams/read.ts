import { type Direction, type RecordedEvent, TOMBSTONE } from '../log/event.ts'
import type { Log, Page, PageLimit } from '../log/log.ts'
import type { EventFilter } from './filter.ts'
import { metadataOf } from './stream-state.ts'
import { visibleEvents } from './visibility.ts'

/** What a page of a read holds in memory, roughly; one row of large events may exceed it. */
const PAGE_BYTES = 512 * 1024
const FIRST_ROWS = 16
const MOST_ROWS = 256
const MOST_EVENTS = 512

/** Yields the events of successive pages. Row counts follow the size of the events, so that memory stays bounded. */
export function* pages(fetch: (from: number, limit: PageLimit) => Page, from: number): Generator<RecordedEvent[]> {
  let rows = FIRST_ROWS
  for (let next: number | undefined = from; next !== undefined; ) {
    const page: Page = fetch(next, { events: MOST_EVENTS, rows })
    yield page.events
    next = page.next
    rows = Math.max(1, Math.min(MOST_ROWS, Math.floor((rows * PAGE_BYTES) / Math.max(page.bytes, 1))))
  }
}

/** The visible events of a stream from `from` (inclusive), in pages, at most `count`. */
export function* readStream(
  log: Log,
  stream: string,
  { from, direction, count, now }: { from: number; direction: Direction; count: number; now: number },
): Generator<RecordedEvent[]> {
  const visible = visibleEvents(metadataOf(log, stream), log.lastRevision(stream), now)
  const start = direction === 'forwards' ? Math.max(from, visible.first) : from
  let wanted = count
  const fetch = (at: number, limit: PageLimit) =>
    log.readStream(stream, at, direction, { rows: Math.min(limit.rows, wanted), events: Math.min(limit.events, wanted) })
  for (const events of pages(fetch, start)) {
    const shown = events.filter(({ revision, created }) => revision >= visible.first && created >= visible.since)
    yield shown
    wanted -= shown.length
    if (wanted === 0 || (direction === 'backwards' && shown.length < events.length)) return
  }
}

/** The events of all streams from position `from` (inclusive) that pass the filter, in pages, at most `count`. */
export function* readAll(
  log: Log,
  { from, direction, count, filter }: { from: number; direction: Direction; count: number; filter: EventFilter },
): Generator<RecordedEvent[]> {
  let wanted = count
  for (const events of pages((at, limit) => log.readAll(at, direction, limit), from)) {
    const found = events.filter(filter).slice(0, wanted)
    yield found
    wanted -= found.length
    if (wanted === 0) return
  }
}

/** An event and, when it was reached by a link, that link. A link that leads nowhere has no event. */
export type ResolvedEvent = { event: RecordedEvent; link?: undefined } | { event?: RecordedEvent; link: RecordedEvent }

/** Follows a link (type `$>`, data `revision@stream`) one step, to an event that a read may show. */
export function resolveLink(log: Log, event: RecordedEvent, now: number): ResolvedEvent {
  if (event.type !== '$>') return { event }
  const match = /^(\d+)@([^]+)$/.exec(Buffer.from(event.data).toString())
  const target = match && visibleEvent(log, match[2]!, Number(match[1]), now)
  return target ? { event: target, link: event } : { link: event }
}

function visibleEvent(log: Log, stream: string, revision: number, now: number): RecordedEvent | undefined {
  const last = log.lastRevision(stream)
  if (last === TOMBSTONE || revision > last) return undefined
  const [events] = readStream(log, stream, { from: revision, direction: 'forwards', count: 1, now })
  return events?.find((event) => event.revision === revision)
}
