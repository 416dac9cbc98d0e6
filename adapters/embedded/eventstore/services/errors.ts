import { CallError, CODE } from '../grpc/status.ts'

/** Clients tell errors apart by the trailer `exception` and read the others for details. */

/** Of one append, only the data counted. */
export const MAX_APPEND_BYTES = 1024 * 1024

/** The same, with everything counted. */
export const MOST_APPEND_BYTES = 16 * 1024 * 1024

/** Thrown while a request is read that no server could carry out. */
export class BadRequest extends CallError {
  override readonly name = 'BadRequest'

  constructor(details: string) {
    super(CODE.invalidArgument, details)
  }
}

export const tooManyArriving = () => new CallError(CODE.resourceExhausted, 'too many appends are incomplete')

export const tooManyUnread = () => new CallError(CODE.resourceExhausted, 'too many answers wait to be read')

export const tooSlow = () => new CallError(CODE.aborted, 'the subscriber reads too slowly')

export const streamDeleted = (stream: string) =>
  new CallError(CODE.failedPrecondition, `Event stream '${stream}' is deleted.`, { exception: 'stream-deleted', 'stream-name': stream })

export const wrongExpectedVersion = (stream: string, expected: number, actual: number) =>
  new CallError(
    CODE.failedPrecondition,
    `Append failed due to WrongExpectedVersion. Stream: ${stream}, expected version: ${expected}, actual version: ${actual}`,
    {
      exception: 'wrong-expected-version',
      'stream-name': stream,
      'expected-version': String(expected),
      'actual-version': String(actual),
    },
  )

export const maximumAppendSizeExceeded = () =>
  new CallError(CODE.invalidArgument, `Maximum append size of ${MAX_APPEND_BYTES} exceeded.`, {
    exception: 'maximum-append-size-exceeded',
    'maximum-append-size': String(MAX_APPEND_BYTES),
  })

export const missingMetadataProperty = (property: string) =>
  new CallError(CODE.invalidArgument, `Required metadata property '${property}' is missing.`, {
    exception: 'missing-required-metadata-property',
    'required-metadata-properties': 'type,content-type',
  })

export const groupNotFound = (stream: string, group: string) =>
  new CallError(
    CODE.notFound,
    `Subscription group ${group} on stream ${stream} does not exist.`,
    groupTrailers('persistent-subscription-does-not-exist', stream, group),
  )

export const groupExists = (stream: string, group: string) =>
  new CallError(
    CODE.alreadyExists,
    `Subscription group ${group} on stream ${stream} exists.`,
    groupTrailers('persistent-subscription-exists', stream, group),
  )

export const groupFailed = (stream: string, group: string, reason: string) =>
  new CallError(CODE.internal, `Subscription group ${group} on stream ${stream} failed: '${reason}'`, {
    ...groupTrailers('persistent-subscription-failed', stream, group),
    reason,
  })

export const groupDropped = (stream: string, group: string) =>
  new CallError(
    CODE.cancelled,
    `Subscription group ${group} on stream ${stream} was dropped.`,
    groupTrailers('persistent-subscription-dropped', stream, group),
  )

export const maximumSubscribersReached = (stream: string, group: string) =>
  new CallError(
    CODE.failedPrecondition,
    `Maximum subscriptions reached for group ${group} on stream ${stream}.`,
    groupTrailers('maximum-subscribers-reached', stream, group),
  )

export const scavengeNotFound = (id: string) =>
  new CallError(CODE.notFound, 'Scavenge id was invalid.', { exception: 'scavenge-not-found', 'scavenge-id': id })

const groupTrailers = (exception: string, stream: string, group: string) => ({ exception, 'stream-name': stream, 'group-name': group })
