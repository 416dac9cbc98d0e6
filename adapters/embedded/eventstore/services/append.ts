import type { ByteBudget } from '../grpc/byte-budget.ts'
import type { Call, Handler, Requests } from '../grpc/call.ts'
import { frame } from '../grpc/messages.ts'
import { CODE } from '../grpc/status.ts'
import { NO_STREAM, type ProposedEvent } from '../log/event.ts'
import type { Expected } from '../streams/expected-revision.ts'
import { type AppendOutcome, append } from '../streams/write.ts'
import { encodeAppendSuccess } from './append-answer.ts'
import { type AppendOptions, decodeAppendRequest, expectedOf, missingProperty, proposedEvent } from './append-request.ts'
import { decoded } from './decoded.ts'
import {
  MAX_APPEND_BYTES,
  MOST_APPEND_BYTES,
  maximumAppendSizeExceeded,
  missingMetadataProperty,
  streamDeleted,
  tooManyArriving,
} from './errors.ts'
import { streams } from './generated.ts'
import { emptyMessage, streamName } from './mapping.ts'
import type { Store } from './store.ts'

/** From the call's beginning until all of the append is there. */
const ARRIVAL_TIMEOUT_MS = 60_000

/** The classic append: one call, one append. A revision that does not hold is an ordinary answer, not an error. */
export function serveAppend(store: Store, arriving: ByteBudget): Handler {
  return (call) => receiveAppend(call, store, arriving)
}

function receiveAppend(call: Call, { log, commits }: Store, arriving: ByteBudget): Requests {
  let target: { stream: string; expected: Expected } | undefined
  const events: ProposedEvent[] = []
  let dataBytes = 0
  let bytes = 0
  const late = setTimeout(() => call.end({ code: CODE.deadlineExceeded, details: 'the append did not arrive in time' }), ARRIVAL_TIMEOUT_MS)

  return {
    message(request) {
      const { options, event } = decoded(decodeAppendRequest, request)
      if (options) target = targetOf(options)
      if (!event) return
      const missing = missingProperty(event)
      if (missing) throw missingMetadataProperty(missing)
      dataBytes += event.data.length
      if (dataBytes > MAX_APPEND_BYTES || bytes + event.bytes > MOST_APPEND_BYTES) throw maximumAppendSizeExceeded()
      if (!arriving.take(event.bytes)) throw tooManyArriving()
      bytes += event.bytes
      events.push(proposedEvent(event))
    },
    end() {
      clearTimeout(late)
      const { stream, expected } = target ?? targetOf(undefined)
      commits
        .submit(() => append(log, stream, expected, events, Date.now()))
        .then((outcome) => {
          call.write(encodeOutcome(stream, expected, outcome))
          call.end()
        })
        .catch(call.fail)
    },
    closed() {
      clearTimeout(late)
      arriving.give(bytes)
      bytes = 0
    },
  }
}

/** @throws BadRequest */
function targetOf(options: AppendOptions | undefined): { stream: string; expected: Expected } {
  return { stream: streamName(options?.stream), expected: options ? expectedOf(options) : 'any' }
}

/** @throws CallError */
function encodeOutcome(stream: string, expectation: Expected, outcome: AppendOutcome): Buffer {
  if (outcome.kind === 'deleted') throw streamDeleted(stream)
  if (outcome.kind === 'appended') return encodeAppendSuccess(outcome)
  const response = new streams.AppendResp()
  response.setWrongExpectedVersion(wrongExpectedVersion(expectation, outcome.actual))
  return frame(response.serializeBinary())
}

/** Every field is there twice: clients made before 20.6.1 read the older ones. */
function wrongExpectedVersion(expectation: Expected, actual: number) {
  const message = new streams.AppendResp.WrongExpectedVersion()
  if (actual === NO_STREAM) {
    message.setCurrentNoStream(emptyMessage())
    message.setNoStream2060(emptyMessage())
  } else {
    message.setCurrentRevision(String(actual))
    message.setCurrentRevision2060(actual)
  }
  if (expectation === 'any') {
    message.setExpectedAny(emptyMessage())
    message.setAny2060(emptyMessage())
  } else if (expectation === 'stream_exists') {
    message.setExpectedStreamExists(emptyMessage())
    message.setStreamExists2060(emptyMessage())
  } else if (expectation === 'no_stream') {
    message.setExpectedNoStream(emptyMessage())
  } else {
    message.setExpectedRevision(String(expectation))
    message.setExpectedRevision2060(expectation)
  }
  return message
}
