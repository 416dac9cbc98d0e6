import { type Logger, pino } from 'pino'
import { Unavailable } from '../../domain/ports/event-log.ts'

/** Structured logs on standard error, one JSON object a line. What must not be logged is not passed in: there is no redaction to rely on. */
export function createLogger(name: string, level: string): Logger {
  return pino({ name, level, base: { pid: process.pid, name } }, pino.destination(2))
}

/** Logs what went wrong while the process goes on. That something else does not answer is told in a line; a stack is for what nobody expected. */
export function logFailure(logger: Logger, error: unknown, message: string, details: object = {}): void {
  if (error instanceof Unavailable) logger.warn({ ...details, reason: error.message }, message)
  else logger.error({ ...details, err: error }, message)
}
