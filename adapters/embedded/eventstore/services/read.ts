import type { Handler } from '../grpc/call.ts'
import { oneRequest } from '../grpc/one-request.ts'
import { type RecordedEvent, TOMBSTONE } from '../log/event.ts'
import type { Log } from '../log/log.ts'
import { type ResolvedEvent, readAll, readStream, resolveLink } from '../streams/read.ts'
import { metadataOf, readability } from '../streams/stream-state.ts'
import { visibleEvents } from '../streams/visibility.ts'
import { decoded } from './decoded.ts'
import { BadRequest, streamDeleted, tooManyUnread } from './errors.ts'
import { encodeEventAnswer } from './event-encoding.ts'
import { shareNewestPages } from './newest-pages.ts'
import { firstRevisionAnswer, lastRevisionAnswer, notFoundAnswer } from './read-answers.ts'
import { type From, parseReadRequest, type ReadRequest } from './read-request.ts'
import { inShortPages } from './short-pages.ts'
import { answerStepwise, type Step } from './stepwise.ts'
import type { Store } from './store.ts'
import { serveSubscription } from './subscribe.ts'

/** Reads and subscriptions are one call, told apart by whether it has a count. */
export function serveRead(store: Store): Handler {
  const log = inShortPages(store.log)
  const newest = shareNewestPages(log)
  return oneRequest((message, call) => {
    if (!call.hasRoom()) throw tooManyUnread()
    const request = decoded(parseReadRequest, message)
    const { stream, count } = request
    if (count === undefined) return serveSubscription(store, newest, request, call)
    const steps = stream === undefined ? allStreams(log, request, count) : oneStream(log, request, stream, count)
    return answerStepwise(call, steps)
  })
}

function* allStreams(log: Log, request: ReadRequest, count: number): Generator<Step> {
  const { direction, filter } = request
  const start = exact(request.from, log.head() + 1)
  const from = direction === 'forwards' ? start : start - 1
  yield* answersOf(log, readAll(log, { from, direction, count, filter }), request)
}

function* oneStream(log: Log, request: ReadRequest, stream: string, count: number): Generator<Step> {
  const { direction, compatibility } = request
  if (direction === 'forwards' && request.from === 'end') throw new BadRequest('a stream cannot be read forwards from its end')
  const found = readability(log, stream)
  if (found === 'tombstoned') throw streamDeleted(stream)
  if (found === 'not_found') {
    yield notFoundAnswer(stream)
    return
  }
  const from = exact(request.from, TOMBSTONE)
  const last = log.lastRevision(stream)
  if (compatibility > 0 && direction === 'forwards') {
    const { first } = visibleEvents(metadataOf(log, stream), last, Date.now())
    if (from > last) yield firstRevisionAnswer(last + 1)
    else if (from + count <= first) yield firstRevisionAnswer(first)
  }
  yield* answersOf(log, readStream(log, stream, { from, direction, count, now: Date.now() }), request)
  if (compatibility > 0) yield lastRevisionAnswer(last)
}

function* answersOf(log: Log, pages: Iterable<RecordedEvent[]>, request: ReadRequest): Generator<Step> {
  let first = true
  for (const events of pages) {
    if (!first) yield 'turn'
    first = false
    for (const event of events) yield encodeEventAnswer(resolved(log, event, request), request.structuredIds)
  }
}

const exact = (from: From, end: number): number => (from === 'start' ? 0 : from === 'end' ? end : from)

const resolved = (log: Log, event: RecordedEvent, { resolveLinks }: ReadRequest): ResolvedEvent =>
  resolveLinks ? resolveLink(log, event, Date.now()) : { event }
