/** One request to a party. `wrong` is said of an answer that was counted before. */
export type Outcome = { at: number; kind: 'answered'; ms: number } | { at: number; kind: 'unanswered' | 'wrong' }

/** The outcomes that count, the oldest first: the last 100, and none older than ten minutes. */
export type Outcomes = readonly Outcome[]

const MOST_OUTCOMES = 100
const OLDEST_MS = 600_000
/** A median latency of this or more is as bad as can be. */
const WORST_LATENCY_MS = 1_000
/** Right answers that one wrong one outweighs. */
const WEIGHT_OF_A_WRONG_ANSWER = 10

export function withOutcome(outcomes: Outcomes, outcome: Outcome): Outcomes {
  return [...current(outcomes, outcome.at).slice(1 - MOST_OUTCOMES), outcome]
}

/**
 * 0.4 · response rate + 0.3 · proof validity + 0.3 · (1 − normalised latency), each from 0 to 1 and the best where nothing is known:
 * response rate = answered / requests; proof validity = right / (right + 10 · wrong), of what was answered; normalised latency = the median
 * of the answers' times over one second, at most 1.
 */
export function healthScore(outcomes: Outcomes, now: number): number {
  const known = current(outcomes, now)
  const answered = known.filter(({ kind }) => kind === 'answered').length
  const wrong = known.filter(({ kind }) => kind === 'wrong').length
  const right = Math.max(0, answered - wrong)
  const responseRate = ratio(answered, known.length - wrong)
  const proofValidity = ratio(right, right + WEIGHT_OF_A_WRONG_ANSWER * wrong)
  const latency = Math.min(1, (medianLatencyMs(outcomes, now) ?? 0) / WORST_LATENCY_MS)
  return 0.4 * responseRate + 0.3 * proofValidity + 0.3 * (1 - latency)
}

/** Undefined when nothing was answered of late. */
export function medianLatencyMs(outcomes: Outcomes, now: number): number | undefined {
  const times = current(outcomes, now).flatMap((outcome) => (outcome.kind === 'answered' ? [outcome.ms] : []))
  // Typed, they are sorted without a call for each comparison.
  return Float64Array.from(times).sort()[Math.floor(times.length / 2)]
}

const current = (outcomes: Outcomes, now: number): Outcomes => outcomes.filter(({ at }) => at > now - OLDEST_MS)

const ratio = (part: number, whole: number): number => (whole === 0 ? 1 : part / whole)
