import { createContext, Script } from 'node:vm'
import { isDocument } from '../document.ts'
import { CommandError } from '../errors.ts'

/** Less than what clients wait for an answer, since nobody else is served meanwhile. */
export const LIMIT_MS = 4_000

const context = createContext(Object.create(null))
const script = new Script('compute()')

/**
 * Runs what a client's patterns or expressions may make arbitrarily long. It may be stopped at any point, also within a regular expression,
 * and so must change nothing that outlives it.
 * @throws MaxTimeMSExpired
 */
export function withinTime<T>(compute: () => T, milliseconds: number): T {
  context.compute = compute
  try {
    return script.runInContext(context, { timeout: milliseconds }) as T
  } catch (error) {
    if (isTimeout(error)) throw new CommandError('MaxTimeMSExpired', `operation exceeded ${milliseconds} ms`)
    throw error
  } finally {
    context.compute = undefined
  }
}

/** An error of the other context, whose classes are not ours. */
const isTimeout = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'

const COSTLY = new Set(['$regex', '$expr', '$jsonSchema'])

/** Whether a filter or an update has in it what takes as long as its text makes it. */
export function isCostly(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (value instanceof RegExp) return true
  if (Array.isArray(value)) return value.some(isCostly)
  return isDocument(value) && Object.keys(value).some((field) => COSTLY.has(field) || isCostly(value[field]))
}
