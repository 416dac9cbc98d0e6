import type { Message } from 'google-protobuf'
import { CODE } from '../grpc/status.ts'
import { NO_STREAM } from '../log/event.ts'
import type { Expected } from '../streams/expected-revision.ts'
import { MAX_APPEND_BYTES } from './errors.ts'
import { Any, Empty, shared, status } from './generated.ts'
import { streamIdentifier } from './mapping.ts'

/** Why an append failed, as a batch append tells it: an encoded google.rpc.Status whose details are a message of event_store.client. */

export function wrongRevision(expectation: Expected, actual: number): Uint8Array {
  const message = new shared.WrongExpectedVersion()
  if (actual === NO_STREAM) message.setCurrentNoStream(new Empty())
  else message.setCurrentStreamRevision(String(actual))
  if (expectation === 'any') message.setExpectedAny(new Empty())
  else if (expectation === 'no_stream') message.setExpectedNoStream(new Empty())
  else if (expectation === 'stream_exists') message.setExpectedStreamExists(new Empty())
  else message.setExpectedStreamPosition(String(expectation))
  return failure(CODE.alreadyExists, 'WrongExpectedVersion', 'WrongExpectedVersion', message)
}

export function deleted(stream: string): Uint8Array {
  const message = new shared.StreamDeleted()
  message.setStreamIdentifier(streamIdentifier(stream))
  return failure(CODE.notFound, 'StreamDeleted', 'StreamDeleted', message)
}

export function tooLarge(): Uint8Array {
  const message = new shared.MaximumAppendSizeExceeded()
  message.setMaxappendsize(MAX_APPEND_BYTES)
  return failure(CODE.invalidArgument, 'MaximumAppendSizeExceeded', 'MaximumAppendSizeExceeded', message)
}

export function badRequest(text: string): Uint8Array {
  const message = new shared.BadRequest()
  message.setMessage(text)
  return failure(CODE.invalidArgument, 'BadRequest', text, message)
}

export const timeout = () => failure(CODE.deadlineExceeded, 'Timeout', 'Timeout', new shared.Timeout())

export const storeFailed = () => failure(CODE.unavailable, 'Unknown', 'the store failed', new shared.Unknown())

function failure(code: number, type: string, text: string, message: Message): Uint8Array {
  const error = new status.Status()
  error.setCode(code as Parameters<typeof error.setCode>[0])
  error.setMessage(text)
  const details = new Any()
  details.pack(message.serializeBinary(), `event_store.client.${type}`)
  error.setDetails(details)
  return error.serializeBinary()
}
