import { ErrorType, isCommandError } from '@eventstore/db-client'

const NO_ANSWER = new Set<ErrorType | undefined>([
  ErrorType.UNAVAILABLE,
  ErrorType.CANCELLED,
  ErrorType.UNKNOWN,
  ErrorType.DEADLINE_EXCEEDED,
  ErrorType.TIMEOUT,
])

/** The client's own name for what went wrong. */
export const errorType = (error: unknown): ErrorType | undefined =>
  error instanceof Error && isCommandError(error) ? error.type : undefined

/** Whether an error says that the connection was lost, and nothing about the request. */
export function isNoAnswer(error: unknown): boolean {
  return NO_ANSWER.has(errorType(error)) || /Failed to (discover|connect)|UNAVAILABLE|CANCELLED/i.test((error as Error).message)
}
