import { DocumentMissing, WriteRefused } from '../domain/ports/documents.ts'
import { EventUnreadable, Unavailable } from '../domain/ports/event-log.ts'
import { BuildGone } from '../domain/ports/projections.ts'

/** A projection threw at an event. */
export class NotApplicable extends Error {
  override readonly name = 'NotApplicable'
}

/** A stream that is held here is not parked any more, or not from there on: what was left out of it is to be read again. */
export class StreamReleased extends Error {
  override readonly name = 'StreamReleased'
}

/** So many streams are held that it is not their events that are wrong. */
export class TooManyParked extends Error {
  override readonly name = 'TooManyParked'
  constructor(readonly limit: number) {
    super(`events of ${limit} streams cannot be applied`)
  }
}

/** Whether it is the event's fault, so that it would be the same for ever: then the event is parked. */
export function isOfTheEvent(error: unknown): boolean {
  return (
    error instanceof NotApplicable || error instanceof EventUnreadable || error instanceof DocumentMissing || error instanceof WriteRefused
  )
}

/** Whether everything is well once it is read again from the checkpoints. */
export function isPassing(error: unknown): boolean {
  return error instanceof Unavailable || error instanceof BuildGone || error instanceof StreamReleased
}

/** What an operator is told. Messages of unknown errors may quote data, so of those it is the kind and the place. */
export function describe(error: unknown): string {
  if (error instanceof EventUnreadable) return error.code
  if (error instanceof DocumentMissing) return 'document_missing'
  if (error instanceof WriteRefused) return `write_refused (${error.reason})`
  if (error instanceof NotApplicable) return describe(error.cause)
  if (isPassing(error) || error instanceof TooManyParked) return (error as Error).message
  return error instanceof Error ? `${error.name}${placeOf(error)}` : typeof error
}

/** The first line of the stack that is code, the message left out. */
function placeOf({ name, message, stack = '' }: Error): string {
  const head = `${name}: ${message}`
  const frames = stack.startsWith(head) ? stack.slice(head.length) : ''
  const [, place] = /^\s+at (.*)$/m.exec(frames) ?? []
  return place === undefined ? '' : ` at ${place.replace(/file:\/\/\S*\//, '')}`
}
