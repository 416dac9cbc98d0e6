import { Metadata, type StatusObject, status } from '@grpc/grpc-js'

/** What ends a call. Clients tell errors apart by the trailer `exception` and read the others for details. */
export type CallError = Pick<StatusObject, 'code' | 'details' | 'metadata'>

export const MAX_APPEND_BYTES = 1024 * 1024

function callError(code: status, details: string, trailers: Readonly<Record<string, string>> = {}): CallError {
  const metadata = new Metadata()
  for (const [key, value] of Object.entries(trailers)) metadata.set(key, trailerValue(value))
  return { code, details, metadata }
}

/** A trailer is ASCII; what is not is percent-encoded, as in EventStoreDB. */
function trailerValue(value: string): string {
  return value.replace(/[^\x20-\x7e]+/g, encodeURIComponent)
}

export const invalidArgument = (details: string) => callError(status.INVALID_ARGUMENT, details)

export const unavailable = (details: string) => callError(status.UNAVAILABLE, details)

export const tooSlow = () => callError(status.ABORTED, 'the subscriber reads too slowly')

export const streamDeleted = (stream: string) =>
  callError(status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, { exception: 'stream-deleted', 'stream-name': stream })

export const wrongExpectedVersion = (stream: string, expected: number, actual: number) =>
  callError(
    status.FAILED_PRECONDITION,
    `Append failed due to WrongExpectedVersion. Stream: ${stream}, expected version: ${expected}, actual version: ${actual}`,
    {
      exception: 'wrong-expected-version',
      'stream-name': stream,
      'expected-version': String(expected),
      'actual-version': String(actual),
    },
  )

export const maximumAppendSizeExceeded = () =>
  callError(status.INVALID_ARGUMENT, `Maximum append size of ${MAX_APPEND_BYTES} exceeded.`, {
    exception: 'maximum-append-size-exceeded',
    'maximum-append-size': String(MAX_APPEND_BYTES),
  })

export const missingMetadataProperty = (property: string) =>
  callError(status.INVALID_ARGUMENT, `Required metadata property '${property}' is missing.`, {
    exception: 'missing-required-metadata-property',
    'required-metadata-properties': 'type,content-type',
  })

export const groupNotFound = (stream: string, group: string) =>
  callError(
    status.NOT_FOUND,
    `Subscription group ${group} on stream ${stream} does not exist.`,
    groupTrailers('persistent-subscription-does-not-exist', stream, group),
  )

export const groupExists = (stream: string, group: string) =>
  callError(
    status.ALREADY_EXISTS,
    `Subscription group ${group} on stream ${stream} exists.`,
    groupTrailers('persistent-subscription-exists', stream, group),
  )

export const groupFailed = (stream: string, group: string, reason: string) =>
  callError(status.INTERNAL, `Subscription group ${group} on stream ${stream} failed: '${reason}'`, {
    ...groupTrailers('persistent-subscription-failed', stream, group),
    reason,
  })

export const groupDropped = (stream: string, group: string) =>
  callError(
    status.CANCELLED,
    `Subscription group ${group} on stream ${stream} was dropped.`,
    groupTrailers('persistent-subscription-dropped', stream, group),
  )

export const maximumSubscribersReached = (stream: string, group: string) =>
  callError(
    status.FAILED_PRECONDITION,
    `Maximum subscriptions reached for group ${group} on stream ${stream}.`,
    groupTrailers('maximum-subscribers-reached', stream, group),
  )

const groupTrailers = (exception: string, stream: string, group: string) => ({ exception, 'stream-name': stream, 'group-name': group })

/** Thrown while a request is read that no server could carry out. */
export class BadRequest extends Error {
  override readonly name = 'BadRequest'
}
