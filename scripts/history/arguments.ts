import { type Moment, readMoment } from '../../domain/history/moment.ts'
import { SOURCES, type Source } from './sources.ts'

/** A moment on the command line. @throws Error naming the option */
export function momentIn(option: string, text: string | undefined): Moment {
  if (text === undefined) return undefined
  const moment = readMoment(text)
  if (!moment) throw new Error(`--${option} must be a position or an RFC 3339 time, not "${text}"`)
  return moment
}

/** @throws Error */
export function sourceIn(text: string): Source {
  const source = SOURCES.find((known) => known === text)
  if (!source) throw new Error(`--source must be one of ${SOURCES.join(', ')}, not "${text}"`)
  return source
}
