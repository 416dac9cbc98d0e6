import { ErrorType, isCommandError } from '@eventstore/db-client'
import { status } from '@grpc/grpc-js'
import { Unavailable } from '../../domain/ports/event-log.ts'
import { convertToCommandError } from './connection.ts'

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

/** The error as the domain knows it; anything that is an answer is passed on as the client knows it. */
export function asDomainError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const known = convertToCommandError(error)
  return isNoAnswer(known) ? new Unavailable('eventstore', { cause: known }) : known
}

function isNoAnswer(error: Error): boolean {
  if (isCommandError(error)) return NO_ANSWER.has(error.type)
  if ('code' in error && error.code === status.CANCELLED) return true
  // A plain Error is thrown when the server cannot be discovered at all, and by a channel that is given up just as a call begins on it.
  return /Failed to (discover|connect)|Channel has been shut down/i.test(error.message)
}
