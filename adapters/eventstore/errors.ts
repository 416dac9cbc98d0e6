import { ErrorType, isCommandError } from '@eventstore/db-client'
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

/** The error as the domain knows it; anything that is an answer is passed on as it is. */
export function asDomainError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  // The client throws a plain Error when it cannot discover the server at all.
  if (isCommandError(error) ? NO_ANSWER.has(error.type) : /Failed to (discover|connect)/i.test(error.message))
    return new Unavailable('eventstore', { cause: error })
  return error
}
