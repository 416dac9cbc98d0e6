import { type Direction, type RecordedEvent, TOMBSTONE } from '../log/event.ts'
import type { Log, Page } from '../log/log.ts'
import { type EventFilter, everything } from './filter.ts'
import { metadataOf } from './stream-state.ts'
import { visibleEvents } from './visibility.ts'

/** Yields the events of successive pages, at most `count()` more of them each time. */
function* pages(fetch: (from: number, most: number) => Page, from: number, count: () => number): Generator<RecordedEvent[]> {
  for (let next: number | undefined = from; next !== undefined; ) {
    const page: Page = fetch(next, count())
    yield page.events
    next = page.next
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
  const fetch = (at: number, most: number) => log.readStream(stream, at, direction, most)
  for (const events of pages(fetch, start, () => wanted)) {
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
  const fetch = (at: number, most: number) => log.readAll(at, direction, most)
  for (const events of pages(fetch, from, () => (filter === everything ? wanted : Number.POSITIVE_INFINITY))) {
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
  const match = /^(\d+)@(.+)$/s.exec(Buffer.from(event.data).toString())
  const target = match && visibleEvent(log, match[2]!, Number(match[1]), now)
  return target ? { event: target, link: event } : { link: event }
}

function visibleEvent(log: Log, stream: string, revision: number, now: number): RecordedEvent | undefined {
  const last = log.lastRevision(stream)
  if (last === TOMBSTONE || revision > last) return undefined
  const [events] = readStream(log, stream, { from: revision, direction: 'forwards', count: 1, now })
  return events?.find((event) => event.revision === revision)
}
