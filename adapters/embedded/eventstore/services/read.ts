import { randomUUID } from 'node:crypto'
import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js'
import type { handleServerStreamingCall } from '@grpc/grpc-js'
import { NO_STREAM, type RecordedEvent, TOMBSTONE } from '../log/event.ts'
import type { Log } from '../log/log.ts'
import { type ResolvedEvent, readAll, readStream, resolveLink } from '../streams/read.ts'
import { allSource, streamSource } from '../streams/source.ts'
import { metadataOf, readability } from '../streams/stream-state.ts'
import { subscriptionSteps } from '../streams/subscription.ts'
import { visibleEvents } from '../streams/visibility.ts'
import { callErrorOf } from './answer.ts'
import { BadRequest, streamDeleted, tooSlow } from './errors.ts'
import { encodeEventAnswer } from './event-encoding.ts'
import {
  caughtUpAnswer,
  checkpointAnswer,
  confirmationAnswer,
  firstRevisionAnswer,
  lastRevisionAnswer,
  notFoundAnswer,
} from './read-answers.ts'
import { type From, parseReadRequest, type ReadRequest } from './read-request.ts'
import { Cancelled, createSink, type Sink } from './sink.ts'
import type { Store } from './store.ts'
import { createWakeup } from './wakeup.ts'

/** A subscriber that has caught up once, stops reading and falls so many events behind is cut off. */
const MOST_LAG = 10_000

/** Events come encoded, see `encodeEventAnswer`. */
export type Answer = ReadResp | Buffer

/** Reads and subscriptions are one call, told apart by whether it has a count. */
export function serveRead(store: Store): handleServerStreamingCall<ReadReq, Answer> {
  return async (call) => {
    try {
      const request = parseReadRequest(call.request)
      const sink = createSink<Answer>(call)
      if (request.count === undefined) await subscribe(store, request, sink)
      else if (request.stream === undefined) await readAllStreams(store.log, request, request.count, sink)
      else await readOneStream(store.log, request, request.stream, request.count, sink)
      call.end()
    } catch (error) {
      if (!(error instanceof Cancelled)) call.emit('error', callErrorOf(error))
    }
  }
}

async function readAllStreams(log: Log, request: ReadRequest, count: number, sink: Sink<Answer>): Promise<void> {
  const { direction, filter } = request
  const start = exact(request.from, log.head() + 1)
  const from = direction === 'forwards' ? start : start - 1
  await writePages(log, readAll(log, { from, direction, count, filter }), request, sink)
}

async function readOneStream(log: Log, request: ReadRequest, stream: string, count: number, sink: Sink<Answer>): Promise<void> {
  const { direction, compatibility } = request
  if (direction === 'forwards' && request.from === 'end') throw new BadRequest('a stream cannot be read forwards from its end')
  const found = readability(log, stream)
  if (found === 'tombstoned') throw streamDeleted(stream)
  if (found === 'not_found') return sink.write(notFoundAnswer(stream))
  const from = exact(request.from, TOMBSTONE)
  const last = log.lastRevision(stream)
  if (compatibility > 0 && direction === 'forwards') {
    const { first } = visibleEvents(metadataOf(log, stream), last, Date.now())
    if (from > last) await sink.write(firstRevisionAnswer(last + 1))
    else if (from + count <= first) await sink.write(firstRevisionAnswer(first))
  }
  await writePages(log, readStream(log, stream, { from, direction, count, now: Date.now() }), request, sink)
  if (compatibility > 0) await sink.write(lastRevisionAnswer(last))
}

async function writePages(log: Log, pages: Iterable<RecordedEvent[]>, request: ReadRequest, sink: Sink<Answer>): Promise<void> {
  for (const events of pages) {
    for (const event of events) {
      const blocked = sink.write(encodeEventAnswer(resolved(log, event, request), request.structuredIds))
      if (blocked) await blocked
    }
    await sink.turn()
  }
}

async function subscribe({ log, commits }: Store, request: ReadRequest, sink: Sink<Answer>): Promise<void> {
  const { stream, filter, checkpointInterval } = request
  const fromEnd = request.from === 'end'
  if (stream !== undefined && !fromEnd && readability(log, stream) === 'tombstoned') throw streamDeleted(stream)
  const source =
    stream === undefined
      ? allSource(log, request.from === 'start' ? 0 : exact(request.from, log.head()))
      : streamSource(log, stream, request.from === 'start' ? NO_STREAM : exact(request.from, log.lastRevision(stream)))
  let live = false
  const wakeup = createWakeup()
  const overrun = createWakeup()
  const stop = commits.onCommit((commit) => {
    if (!source.concerns(commit)) return
    wakeup.ring()
    if (live && sink.blocked() && source.lag() > MOST_LAG) overrun.ring()
  })
  const follow = async () => {
    await sink.write(confirmationAnswer(randomUUID()))
    for (const step of subscriptionSteps(source, { filter, fromEnd, checkpointInterval })) {
      if (step.kind === 'event') {
        const blocked = sink.write(encodeEventAnswer(resolved(log, step.event, request), request.structuredIds))
        if (blocked) await blocked
        if (stream !== undefined && step.event.revision === TOMBSTONE) throw streamDeleted(stream)
      } else if (step.kind === 'checkpoint') {
        await sink.write(checkpointAnswer(step.position))
      } else if (step.kind === 'caught_up') {
        live = true
        await sink.write(caughtUpAnswer())
      } else if (step.kind === 'turn') {
        await sink.turn()
      } else {
        await sink.until(wakeup.rung())
      }
    }
  }
  try {
    await Promise.race([
      follow(),
      overrun.rung().then(() => {
        throw tooSlow()
      }),
    ])
  } finally {
    stop()
  }
}

const exact = (from: From, end: number): number => (from === 'start' ? 0 : from === 'end' ? end : from)

const resolved = (log: Log, event: RecordedEvent, { resolveLinks }: ReadRequest): ResolvedEvent =>
  resolveLinks ? resolveLink(log, event, Date.now()) : { event }
