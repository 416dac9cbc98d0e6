import type { ServiceError, sendUnaryData } from '@grpc/grpc-js'
import { BadRequest, type CallError, invalidArgument, unavailable } from './errors.ts'

/** Answers a call with what `work` returns, or with the status that fits what it throws. */
export async function answer<Message>(callback: sendUnaryData<Message>, work: () => Message | Promise<Message>): Promise<void> {
  let message: Message
  try {
    message = await work()
  } catch (error) {
    callback(callErrorOf(error) as ServiceError)
    return
  }
  callback(null, message)
}

/** The status of a failed call: as thrown, for a bad request, or because the store failed. */
export function callErrorOf(error: unknown): CallError {
  if (isCallError(error)) return error
  if (error instanceof BadRequest || error instanceof SyntaxError) return invalidArgument(error.message)
  return unavailable('the store failed')
}

function isCallError(error: unknown): error is CallError {
  return typeof error === 'object' && error !== null && 'metadata' in error && 'details' in error && 'code' in error
}
