import type { AppendReq, AppendResp } from '@eventstore/db-client/generated/streams_pb.js'
import type { handleClientStreamingCall } from '@grpc/grpc-js'
import { NO_STREAM, type ProposedEvent } from '../log/event.ts'
import type { Expected } from '../streams/expected-revision.ts'
import { type AppendOutcome, append } from '../streams/write.ts'
import { answer } from './answer.ts'
import { MAX_APPEND_BYTES, maximumAppendSizeExceeded, missingMetadataProperty, streamDeleted } from './errors.ts'
import { streams } from './generated.ts'
import { emptyMessage, expected, missingProperty, proposedEvent, streamName } from './mapping.ts'
import type { Store } from './store.ts'

/** The classic append: one call, one append. A revision that does not hold is an ordinary answer, not an error. */
export function serveAppend({ log, commits }: Store): handleClientStreamingCall<AppendReq, AppendResp> {
  return (call, callback) => {
    let options: { stream: string; expected: Expected } | undefined
    const events: ProposedEvent[] = []
    let bytes = 0
    let done = false
    const finish = (work: () => AppendResp | Promise<AppendResp>) => {
      if (done) return
      done = true
      answer(callback, work)
    }
    const refuse = (error: unknown) =>
      finish(() => {
        throw error
      })

    call.on('data', (request: AppendReq) => {
      if (done) return
      try {
        const head = request.getOptions()
        const message = request.getProposedMessage()
        if (head)
          options = {
            stream: streamName(head.getStreamIdentifier()),
            expected: expected(head, head.hasRevision() ? head.getRevision() : undefined),
          }
        if (!message) return
        const missing = missingProperty(message)
        if (missing) throw missingMetadataProperty(missing)
        bytes += message.getData_asU8().length
        if (bytes > MAX_APPEND_BYTES) throw maximumAppendSizeExceeded()
        events.push(proposedEvent(message))
      } catch (error) {
        refuse(error)
      }
    })
    call.on('error', refuse)
    call.on('end', () =>
      finish(async () => {
        const { stream, expected } = options ?? { stream: streamName(undefined), expected: 'any' as const }
        const outcome = await commits.submit(() => append(log, stream, expected, events, Date.now()))
        return appendAnswer(stream, expected, outcome)
      }),
    )
  }
}

function appendAnswer(stream: string, expectation: Expected, outcome: AppendOutcome): AppendResp {
  if (outcome.kind === 'deleted') throw streamDeleted(stream)
  const response = new streams.AppendResp()
  if (outcome.kind === 'wrong_revision') {
    response.setWrongExpectedVersion(wrongExpectedVersion(expectation, outcome.actual))
    return response
  }
  const success = new streams.AppendResp.Success()
  if (outcome.revision === NO_STREAM) success.setNoStream(emptyMessage())
  else success.setCurrentRevision(String(outcome.revision))
  if (outcome.position === undefined) {
    success.setNoPosition(emptyMessage())
  } else {
    const position = new streams.AppendResp.Position()
    position.setCommitPosition(String(outcome.position))
    position.setPreparePosition(String(outcome.position))
    success.setPosition(position)
  }
  response.setSuccess(success)
  return response
}

/** Every field is there twice: clients made before 20.6.1 read the older ones. */
function wrongExpectedVersion(expectation: Expected, actual: number): AppendResp.WrongExpectedVersion {
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
