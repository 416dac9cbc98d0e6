import { ErrorType, isCommandError } from '@eventstore/db-client'
import { status } from '@grpc/grpc-js'
import { Unavailable } from '../../domain/ports/event-log.ts'

/** Client errors that mean "no answer", so that the outcome of a write is unknown, but never "refused". */
const NO_ANSWER = new Set<ErrorType>([
  ErrorType.TIMEOUT,
  ErrorType.DEADLINE_EXCEEDED,
  ErrorType.UNAVAILABLE,
  ErrorType.CANCELLED,
  ErrorType.UNKNOWN,
  ErrorType.NOT_LEADER,
  ErrorType.PERSISTENT_SUBSCRIPTION_DROPPED,
])

/** Whether a client error has this type. */
export function isType(error: unknown, type: ErrorType): boolean {
  return error instanceof Error && isCommandError(error) && error.type === type
}

/** gRPC status codes of a call that was not answered; some calls of the client let these through as they are. */
const NO_ANSWER_STATUS = new Set<unknown>([status.CANCELLED, status.DEADLINE_EXCEEDED, status.UNAVAILABLE])

/** The error as the domain knows it; anything that is an answer is passed on as it is. */
export function asDomainError(error: unknown): unknown {
  return error instanceof Error && isNoAnswer(error) ? new Unavailable('eventstore', { cause: error }) : error
}

function isNoAnswer(error: Error): boolean {
  if (isCommandError(error)) return NO_ANSWER.has(error.type)
  // A plain Error is thrown when the server cannot be discovered at all, and by a channel that is given up just as a call begins on it.
  return (
    ('code' in error && NO_ANSWER_STATUS.has(error.code)) || /Failed to (discover|connect)|Channel has been shut down/i.test(error.message)
  )
}
