import { type Logger, pino } from 'pino'

/** Structured logs on standard error, one JSON object a line. What must not be logged is not passed in: there is no redaction to rely on. */
export function createLogger(name: string, level: string): Logger {
  return pino({ name, level, base: { pid: process.pid, name } }, pino.destination(2))
}
