import { randomUUID } from 'node:crypto'
import type { Call, Requests } from '../grpc/call.ts'
import { NO_STREAM, type RecordedEvent, TOMBSTONE } from '../log/event.ts'
import type { Log } from '../log/log.ts'
import { resolveLink } from '../streams/read.ts'
import { allSource, type Source, streamSource } from '../streams/source.ts'
import { readability } from '../streams/stream-state.ts'
import { subscriptionSteps } from '../streams/subscription.ts'
import { streamDeleted, tooSlow } from './errors.ts'
import { encodeEventAnswer } from './event-encoding.ts'
import { caughtUpAnswer, checkpointAnswer, confirmationAnswer } from './read-answers.ts'
import type { ReadRequest } from './read-request.ts'
import { answerStepwise, type Step } from './stepwise.ts'
import type { Store } from './store.ts'

/** A subscriber that has caught up once, stops reading and falls so many events behind is cut off. */
const MOST_LAG = 10_000

/** Answers of new events, which go to all that have caught up. */
const encodedOnce = new WeakMap<RecordedEvent, Buffer>()

/** Follows a stream or all of them without end. `newest` is shared with the other subscribers. */
export function serveSubscription({ commits }: Store, newest: Log, request: ReadRequest, call: Call): Omit<Requests, 'message'> {
  const { stream } = request
  if (stream !== undefined && request.from !== 'end' && readability(newest, stream) === 'tombstoned') throw streamDeleted(stream)
  const source = sourceOf(newest, request)
  const progress = { live: false }
  const answering = answerStepwise(call, steps(newest, source, request, progress))
  const stop = commits.onCommit((commit) => {
    if (!source.concerns(commit)) return
    if (progress.live && answering.isBehind() && source.lag() > MOST_LAG) call.fail(tooSlow())
    else answering.wake()
  })
  return {
    drained: answering.drained,
    closed() {
      stop()
      answering.closed()
    },
  }
}

function sourceOf(log: Log, { stream, from }: ReadRequest): Source {
  if (stream === undefined) return allSource(log, from === 'start' ? 0 : from === 'end' ? log.head() : from)
  return streamSource(log, stream, from === 'start' ? NO_STREAM : from === 'end' ? log.lastRevision(stream) : from)
}

function* steps(log: Log, source: Source, request: ReadRequest, progress: { live: boolean }): Generator<Step> {
  const { stream, filter, checkpointInterval, from } = request
  yield confirmationAnswer(randomUUID())
  for (const step of subscriptionSteps(source, { filter, fromEnd: from === 'end', checkpointInterval })) {
    switch (step.kind) {
      case 'event':
        yield encode(log, step.event, request, progress.live)
        if (stream !== undefined && step.event.revision === TOMBSTONE) throw streamDeleted(stream)
        break
      case 'checkpoint':
        yield checkpointAnswer(step.position)
        break
      case 'caught_up':
        progress.live = true
        yield caughtUpAnswer()
        break
      case 'turn':
        if (source.lag() > 0) yield 'turn'
        break
      default:
        yield 'wait'
    }
  }
}

function encode(log: Log, event: RecordedEvent, { resolveLinks, structuredIds }: ReadRequest, live: boolean): Buffer {
  if (resolveLinks && event.type === '$>') return encodeEventAnswer(resolveLink(log, event, Date.now()), structuredIds)
  if (!live || structuredIds) return encodeEventAnswer({ event }, structuredIds)
  const known = encodedOnce.get(event)
  if (known) return known
  const encoded = encodeEventAnswer({ event }, structuredIds)
  encodedOnce.set(event, encoded)
  return encoded
}
