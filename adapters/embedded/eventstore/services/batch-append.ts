import type { ByteBudget } from '../grpc/byte-budget.ts'
import type { Call, Handler, Requests } from '../grpc/call.ts'
import type { ProposedEvent } from '../log/event.ts'
import type { Expected } from '../streams/expected-revision.ts'
import { type AppendOutcome, append } from '../streams/write.ts'
import { encodeBatchFailure, encodeBatchSuccess } from './append-answer.ts'
import {
  type AppendOptions,
  type BatchAppendRequest,
  decodeBatchAppendRequest,
  expectedOf,
  missingProperty,
  proposedEvent,
} from './append-request.ts'
import { badRequest, deleted, storeFailed, timeout, tooLarge, wrongRevision } from './batch-failure.ts'
import { decoded } from './decoded.ts'
import { BadRequest, MAX_APPEND_BYTES, MOST_APPEND_BYTES, tooManyArriving } from './errors.ts'
import { streamName } from './mapping.ts'
import type { Store } from './store.ts'

/** Appends of one call whose last part has not arrived. */
const MOST_OPEN = 1024
/** A call with so much on its way to the store is not read further. */
const MOST_UNANSWERED_BYTES = 8 * 1024 * 1024

const MOST_CORRELATION_BYTES = 64

/** An append that arrives in parts. `name` is the stream's, as it came. */
type Arriving = {
  name: Buffer
  stream: string
  expected: Expected
  deadline: number
  events: ProposedEvent[]
  dataBytes: number
  bytes: number
  failure: Uint8Array | undefined
}

/**
 * Many appends on one long call, told apart by their correlation ids. Each gets exactly one answer, errors included: the client gives up
 * on all that are under way when the call itself fails.
 */
export function serveBatchAppend(store: Store, arriving: ByteBudget): Handler {
  return (call) => receiveAppends(call, store, arriving)
}

function receiveAppends(call: Call, { log, commits }: Store, budget: ByteBudget): Requests {
  const open = new Map<string, Arriving>()
  let unanswered = 0
  let unansweredBytes = 0
  let behind = false
  let ended = false

  function answer(framed: Buffer): void {
    if (call.write(framed)) return
    behind = true
    call.pause()
  }

  function store(correlation: Buffer, arrived: Arriving): void {
    const { stream, expected, events, bytes } = arrived
    unanswered += 1
    unansweredBytes += bytes
    if (unansweredBytes > MOST_UNANSWERED_BYTES) call.pause()
    commits
      .submit(() => append(log, stream, expected, events, Date.now()))
      .then(
        (outcome) => answer(encodeOutcome(correlation, arrived, outcome)),
        () => answer(encodeBatchFailure(correlation, arrived.name, storeFailed())),
      )
      .finally(() => {
        unanswered -= 1
        unansweredBytes -= bytes
        if (ended && unanswered === 0) call.end()
        else if (!behind && unansweredBytes <= MOST_UNANSWERED_BYTES) call.resume()
      })
  }

  /** The append that a part belongs to. */
  function arrivingOf(request: BatchAppendRequest, key: string): Arriving {
    const known = open.get(key)
    if (!known) return begin(request.options)
    open.delete(key)
    budget.give(known.bytes)
    return known
  }

  return {
    message(bytes) {
      const request = decoded(decodeBatchAppendRequest, bytes)
      const { correlation } = request
      if (correlation.length === 0 || correlation.length > MOST_CORRELATION_BYTES)
        throw new BadRequest('a batch append has no correlation id')
      const key = correlation.toString('latin1')
      const arriving = arrivingOf(request, key)
      collect(arriving, request)
      if (!request.final) {
        if (open.size === MOST_OPEN || !budget.take(arriving.bytes)) throw tooManyArriving()
        open.set(key, arriving)
      } else if (arriving.failure) {
        answer(encodeBatchFailure(correlation, arriving.name, arriving.failure))
      } else if (arriving.deadline < Date.now()) {
        answer(encodeBatchFailure(correlation, arriving.name, timeout()))
      } else {
        store(correlation, arriving)
      }
    },
    end() {
      ended = true
      if (unanswered === 0) call.end()
    },
    drained() {
      behind = false
      if (unansweredBytes <= MOST_UNANSWERED_BYTES) call.resume()
    },
    closed() {
      for (const { bytes } of open.values()) budget.give(bytes)
      open.clear()
    },
  }
}

function begin(options: AppendOptions | undefined): Arriving {
  const fresh: Arriving = {
    name: options?.stream ?? Buffer.alloc(0),
    stream: '',
    expected: 'any',
    deadline: options?.deadline ?? Number.POSITIVE_INFINITY,
    events: [],
    dataBytes: 0,
    bytes: 0,
    failure: undefined,
  }
  try {
    fresh.stream = streamName(options?.stream)
    if (options) fresh.expected = expectedOf(options)
  } catch (error) {
    fresh.failure = failureOf(error)
  }
  return fresh
}

/** Once something is wrong the rest is not kept, but it is waited for: an append is answered after its last part. */
function collect(arriving: Arriving, request: BatchAppendRequest): void {
  for (const sent of request.events) {
    if (arriving.failure) return
    const missing = missingProperty(sent)
    arriving.dataBytes += sent.data.length
    arriving.bytes += sent.bytes
    if (missing) arriving.failure = badRequest(`the metadata property '${missing}' is missing`)
    else if (arriving.dataBytes > MAX_APPEND_BYTES || arriving.bytes > MOST_APPEND_BYTES) arriving.failure = tooLarge()
    else {
      try {
        arriving.events.push(proposedEvent(sent))
      } catch (error) {
        arriving.failure = failureOf(error)
      }
    }
    if (arriving.failure) {
      arriving.events = []
      arriving.bytes = 0
    }
  }
}

/** @throws what is no BadRequest */
function failureOf(error: unknown): Uint8Array {
  if (error instanceof BadRequest) return badRequest(error.message)
  throw error
}

function encodeOutcome(correlation: Buffer, { name, stream, expected }: Arriving, outcome: AppendOutcome): Buffer {
  if (outcome.kind === 'deleted') return encodeBatchFailure(correlation, name, deleted(stream))
  if (outcome.kind === 'wrong_revision') return encodeBatchFailure(correlation, name, wrongRevision(expected, outcome.actual))
  return encodeBatchSuccess(correlation, name, outcome)
}
