import type { RecordedEvent } from '../ports/event-log.ts'

/** A moment in the log's life, which belongs to it: a position of this log, or a time. Undefined is now. */
export type Moment = { readonly position: bigint } | { readonly time: number } | undefined

/** Digits are a position, anything else an RFC 3339 time, or a date, whose day has just begun. Undefined for what is neither. */
export function readMoment(text: string): Exclude<Moment, undefined> | undefined {
  if (/^\d{1,19}$/.test(text)) return { position: BigInt(text) }
  const time = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(time) ? undefined : { time }
}

/** Whether an event had happened by then. It is the time of the decision that counts, which a restored log has, too. */
export function hadHappened(event: RecordedEvent, moment: Moment): boolean {
  if (moment === undefined) return true
  return 'position' in moment ? event.position <= moment.position : timeOf(event) <= moment.time
}

/** Whether what is at the position, and happened at the time (RFC 3339), is between two moments, both inclusive. */
export function isBetween({ position, time }: { position: bigint; time: string }, from: Moment, to: Moment): boolean {
  const isAfter = !from || ('position' in from ? position >= from.position : Date.parse(time) >= from.time)
  return isAfter && (!to || ('position' in to ? position <= to.position : Date.parse(time) <= to.time))
}

/** In milliseconds since 1970; that of the store where the event does not say. */
export function timeOf({ metadata, recordedAt }: RecordedEvent): number {
  const said = Date.parse((metadata as { occurredAt?: string } | null)?.occurredAt ?? '')
  return Number.isNaN(said) ? Date.parse(recordedAt) : said
}
