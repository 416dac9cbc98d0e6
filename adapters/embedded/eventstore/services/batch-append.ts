import type { BatchAppendReq, BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js'
import type { handleBidiStreamingCall } from '@grpc/grpc-js'
import type { Message } from 'google-protobuf'
import { NO_STREAM, type ProposedEvent } from '../log/event.ts'
import type { Expected } from '../streams/expected-revision.ts'
import { type AppendOutcome, append } from '../streams/write.ts'
import { type BadRequest, invalidArgument, MAX_APPEND_BYTES } from './errors.ts'
import { Any, Empty, shared, status, streams } from './generated.ts'
import { expected, missingProperty, proposedEvent, streamIdentifier, streamName, uuidMessage, uuidText } from './mapping.ts'
import type { Store } from './store.ts'

/** Codes of google.rpc that a failed append carries in its answer. */
const CODE = { alreadyExists: 6, notFound: 5, invalidArgument: 3, deadlineExceeded: 4, unavailable: 14 } as const

/** Appends of which the last part has not arrived. */
const MOST_OPEN = 1024
/** Of one append, everything counted; only the data counts towards MAX_APPEND_BYTES. */
const MOST_BYTES = 16 * 1024 * 1024

type Failure = { code: number; text: string; type: string; message: Message }

type Open = {
  stream: string
  expected: Expected
  deadline: number
  events: ProposedEvent[]
  dataBytes: number
  bytes: number
  failure: Failure | undefined
}

/**
 * Many appends on one long call, told apart by their correlation ids. Each gets exactly one answer, errors included: the client gives up
 * on all that are under way when the call itself fails.
 */
export function serveBatchAppend({ log, commits }: Store): handleBidiStreamingCall<BatchAppendReq, BatchAppendResp> {
  return (call) => {
    const open = new Map<string, Open>()

    const send = (correlation: string, stream: string, fill: (response: BatchAppendResp) => void) => {
      if (call.cancelled || call.writableEnded) return
      const response = new streams.BatchAppendResp()
      response.setCorrelationId(uuidMessage(correlation))
      response.setStreamIdentifier(streamIdentifier(stream))
      fill(response)
      if (!call.write(response)) call.pause()
    }
    const fail = (correlation: string, stream: string, failure: Failure) =>
      send(correlation, stream, (response) => response.setError(errorStatus(failure)))

    let unanswered = 0
    let ended = false
    const settle = () => {
      unanswered -= 1
      if (ended && unanswered === 0) call.end()
    }

    call.on('data', (request: BatchAppendReq) => {
      let correlation: string
      try {
        correlation = uuidText(request.getCorrelationId())
      } catch {
        call.emit('error', invalidArgument('a batch append has no correlation id'))
        return
      }
      const append = open.get(correlation) ?? begin(request)
      if (open.size >= MOST_OPEN && !open.has(correlation)) append.failure = badRequest('too many appends are incomplete')
      else open.set(correlation, append)
      collect(append, request)
      if (!request.getIsFinal()) return
      open.delete(correlation)
      if (append.failure) return fail(correlation, append.stream, append.failure)
      if (append.deadline < Date.now()) return fail(correlation, append.stream, timeout())
      unanswered += 1
      void store(append)
        .then((outcome) => send(correlation, append.stream, (response) => fillOutcome(response, append, outcome)))
        .catch(() => fail(correlation, append.stream, unavailableStore()))
        .finally(settle)
    })
    const store = ({ stream, expected, events }: Open) => commits.submit(() => append(log, stream, expected, events, Date.now()))
    call.on('drain', () => call.resume())
    call.on('error', () => open.clear())
    call.on('end', () => {
      ended = true
      if (unanswered === 0) call.end()
    })
  }
}

function begin(request: BatchAppendReq): Open {
  const fresh: Open = {
    stream: '',
    expected: 'any',
    deadline: Number.POSITIVE_INFINITY,
    events: [],
    dataBytes: 0,
    bytes: 0,
    failure: undefined,
  }
  const options = request.getOptions()
  try {
    fresh.stream = streamName(options?.getStreamIdentifier())
    if (options) fresh.expected = expected(options, options.hasStreamPosition() ? options.getStreamPosition() : undefined)
    const deadline = options?.getDeadline()
    if (deadline) fresh.deadline = deadline.getSeconds() * 1000 + deadline.getNanos() / 1e6
  } catch (error) {
    fresh.failure = badRequest((error as BadRequest).message)
  }
  return fresh
}

/** Once something is wrong the rest is not kept, but it is waited for: an append is answered after its last part. */
function collect(append: Open, request: BatchAppendReq): void {
  for (const message of request.getProposedMessagesList()) {
    if (append.failure) return
    const missing = missingProperty(message)
    append.dataBytes += message.getData_asU8().length
    append.bytes += message.getData_asU8().length + message.getCustomMetadata_asU8().length
    if (missing) append.failure = badRequest(`the metadata property '${missing}' is missing`)
    else if (append.dataBytes > MAX_APPEND_BYTES || append.bytes > MOST_BYTES) append.failure = tooLarge()
    else {
      try {
        append.events.push(proposedEvent(message))
      } catch (error) {
        append.failure = badRequest((error as BadRequest).message)
      }
    }
    if (append.failure) append.events = []
  }
}

function fillOutcome(response: BatchAppendResp, { stream, expected }: Open, outcome: AppendOutcome): void {
  if (outcome.kind === 'deleted') return void response.setError(errorStatus(deleted(stream)))
  if (outcome.kind === 'wrong_revision') return void response.setError(errorStatus(wrongRevision(expected, outcome.actual)))
  const success = new streams.BatchAppendResp.Success()
  if (outcome.revision === NO_STREAM) success.setNoStream(new Empty())
  else success.setCurrentRevision(String(outcome.revision))
  if (outcome.position === undefined) {
    success.setNoPosition(new Empty())
  } else {
    const position = new shared.AllStreamPosition()
    position.setCommitPosition(String(outcome.position))
    position.setPreparePosition(String(outcome.position))
    success.setPosition(position)
  }
  response.setSuccess(success)
}

function errorStatus({ code, text, type, message }: Failure) {
  const error = new status.Status()
  error.setCode(code as Parameters<typeof error.setCode>[0])
  error.setMessage(text)
  const details = new Any()
  details.pack(message.serializeBinary(), `event_store.client.${type}`)
  error.setDetails(details)
  return error
}

function wrongRevision(expectation: Expected, actual: number): Failure {
  const message = new shared.WrongExpectedVersion()
  if (actual === NO_STREAM) message.setCurrentNoStream(new Empty())
  else message.setCurrentStreamRevision(String(actual))
  if (expectation === 'any') message.setExpectedAny(new Empty())
  else if (expectation === 'no_stream') message.setExpectedNoStream(new Empty())
  else if (expectation === 'stream_exists') message.setExpectedStreamExists(new Empty())
  else message.setExpectedStreamPosition(String(expectation))
  return { code: CODE.alreadyExists, text: 'WrongExpectedVersion', type: 'WrongExpectedVersion', message }
}

function deleted(stream: string): Failure {
  const message = new shared.StreamDeleted()
  message.setStreamIdentifier(streamIdentifier(stream))
  return { code: CODE.notFound, text: 'StreamDeleted', type: 'StreamDeleted', message }
}

function tooLarge(): Failure {
  const message = new shared.MaximumAppendSizeExceeded()
  message.setMaxappendsize(MAX_APPEND_BYTES)
  return { code: CODE.invalidArgument, text: 'MaximumAppendSizeExceeded', type: 'MaximumAppendSizeExceeded', message }
}

function badRequest(text: string): Failure {
  const message = new shared.BadRequest()
  message.setMessage(text)
  return { code: CODE.invalidArgument, text, type: 'BadRequest', message }
}

function timeout(): Failure {
  return { code: CODE.deadlineExceeded, text: 'Timeout', type: 'Timeout', message: new shared.Timeout() }
}

function unavailableStore(): Failure {
  return { code: CODE.unavailable, text: 'the store failed', type: 'Unknown', message: new shared.Unknown() }
}
