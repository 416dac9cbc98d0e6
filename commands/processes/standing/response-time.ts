/** How long a party takes to answer, as TCP estimates round trips (RFC 6298). Times are in ms. */
export type ResponseTime = {
  /** Undefined before the first answer. */
  known: { smoothed: number; variation: number } | undefined
  /** Doubles with each answer that does not come: without it, a time-out once too short would stay so. */
  backOff: number
}

export const UNKNOWN_RESPONSE_TIME: ResponseTime = { known: undefined, backOff: 1 }

const INITIAL_TIMEOUT_MS = 1_000
/** A party that is given much at once takes longer than it ever did; shorter than this, a time-out would take that for an absence. */
const SHORTEST_TIMEOUT_MS = 500
const LONGEST_TIMEOUT_MS = 5_000
const LATE_BY_ANY_MEASURE_MS = 1_000

export function afterAnswerIn({ known }: ResponseTime, ms: number): ResponseTime {
  if (!known) return { known: { smoothed: ms, variation: ms / 2 }, backOff: 1 }
  const variation = (3 / 4) * known.variation + (1 / 4) * Math.abs(known.smoothed - ms)
  return { known: { smoothed: (7 / 8) * known.smoothed + (1 / 8) * ms, variation }, backOff: 1 }
}

export const afterSilence = (time: ResponseTime): ResponseTime => ({
  ...time,
  backOff: Math.min(2 * time.backOff, LONGEST_TIMEOUT_MS / SHORTEST_TIMEOUT_MS),
})

/** Mean and four times the deviation, within bounds. */
export function timeoutOf({ known, backOff }: ResponseTime): number {
  const estimate = known ? estimateOf(known) : INITIAL_TIMEOUT_MS
  return Math.round(Math.min(Math.max(estimate, SHORTEST_TIMEOUT_MS) * backOff, LONGEST_TIMEOUT_MS))
}

/** After this an answer is later than those before it; 0 before the first. A second at most: whoever always takes longer is late by any measure. */
export const lateAfter = ({ known }: ResponseTime): number => Math.round(Math.min(known ? estimateOf(known) : 0, LATE_BY_ANY_MEASURE_MS))

const estimateOf = ({ smoothed, variation }: NonNullable<ResponseTime['known']>): number => smoothed + 4 * variation
