import {
  BSON,
  MongoAPIError,
  MongoBulkWriteError,
  MongoDriverError,
  MongoInvalidArgumentError,
  MongoNetworkError,
  MongoServerError,
  MongoSystemError,
} from 'mongodb'
import { Unavailable } from '../../domain/ports/event-log.ts'

const DUPLICATE_KEY = 11000

/** Servers' codes for being interrupted, shut down, stepped down, or too slow: the outcome is unknown, and another attempt may succeed. */
const TRANSIENT_CODES = new Set<unknown>([50, 64, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436])

/** Said as if the caller had misused the driver, but it is the connection that went away under it. */
const LOST_CONNECTION = new Set([
  'MongoExpiredSessionError',
  'MongoServerClosedError',
  'MongoNotConnectedError',
  'MongoTopologyClosedError',
  'MongoClientClosedError',
])

const writeErrorsOf = (error: MongoBulkWriteError) => [error.writeErrors].flat()

function isTransient(error: unknown): boolean {
  // MongoServerSelectionError is a MongoSystemError.
  if (error instanceof MongoNetworkError || error instanceof MongoSystemError) return true
  // Without a write that failed it is the command that did: the driver wraps a lost connection like this.
  if (error instanceof MongoBulkWriteError && (error.result.getWriteConcernError() || writeErrorsOf(error).length === 0)) return true
  if (error instanceof MongoServerError) return TRANSIENT_CODES.has(error.code)
  return error instanceof MongoDriverError && (!(error instanceof MongoAPIError) || LOST_CONNECTION.has(error.name))
}

/** Runs an operation of the driver; that the server cannot be reached in time becomes Unavailable. @throws Unavailable */
export async function whileAvailable<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation()
  } catch (error) {
    throw isTransient(error) ? new Unavailable('mongodb', { cause: error }) : error
  }
}

export const isDuplicateKey = (error: unknown): boolean => error instanceof MongoServerError && error.code === DUPLICATE_KEY

/** Nothing but duplicate keys: by another writer's insertion of the same document, or by a unique index. */
export function isOnlyDuplicateKeys(error: unknown): boolean {
  if (!(error instanceof MongoBulkWriteError) || error.result.getWriteConcernError()) return false
  const failures = writeErrorsOf(error)
  return failures.length > 0 && failures.every(({ code }) => code === DUPLICATE_KEY)
}

/**
 * Why a document cannot be written as it is, in a word or number; undefined when the failure is not of the document. Servers say that of
 * each write apart; the driver says it before it sends anything.
 */
export function refusalOf(error: unknown): string | undefined {
  if (isTransient(error)) return undefined
  if (error instanceof MongoBulkWriteError) return String(writeErrorsOf(error)[0]?.code)
  if (error instanceof MongoInvalidArgumentError) return error.name
  return BSON.BSONError.isBSONError(error) || error instanceof RangeError ? error.name : undefined
}
