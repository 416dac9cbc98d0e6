/** A moment in the log's life: a position, inclusive, or a time by the store's clock, inclusive. */
export type Moment = { position: bigint } | { time: string } | undefined

/** Digits are a position, anything else an RFC 3339 time; undefined is now. @throws Error */
export function parseMoment(text: string | undefined): Moment {
  if (text === undefined) return undefined
  if (/^\d{1,20}$/.test(text)) return { position: BigInt(text) }
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(time)) throw new Error(`--as-of must be a position or an RFC 3339 time, not "${text}"`)
  return { time: new Date(time).toISOString() }
}

/** Whether an event had happened by then. */
export function hadHappened(event: { position: bigint; recordedAt: string }, moment: Moment): boolean {
  if (moment === undefined) return true
  return 'position' in moment ? event.position <= moment.position : event.recordedAt <= moment.time
}
