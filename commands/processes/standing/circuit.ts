import type { CircuitState } from '../../../domain/ports/coordinators.ts'

/** Failures in a row that open a circuit; of requests, or of health pings. */
const FAILURES_IN_A_ROW = 3
/** Half of the requests of this long having failed opens it too, once there were enough of them to tell. */
const RATE_WINDOW_S = 10
const RATE_MINIMUM = 10
const FIRST_OPEN_MS = 30_000
const LONGEST_OPEN_MS = 600_000
/** A probe that nobody has reported on by then is not coming back: the next request may be one. */
const PROBE_WITHIN_MS = 10_000

export type OpenReason = 'failures_in_a_row' | 'failure_rate' | 'proven_wrong' | 'pings_missed' | 'probe_failed'

/** The breaker of one party, as a value. Times are in ms since the epoch. */
export type Circuit = {
  /** Undefined while closed. */
  open: { until: number; reason: OpenReason; probingUntil: number } | undefined
  /** How long it will be open when it opens next. */
  openForMs: number
  failuresInARow: number
  pingsMissed: number
  /** Requests of the last seconds, the oldest first; at most one entry a second. */
  seconds: readonly { second: number; asked: number; failed: number }[]
}

export const CLOSED: Circuit = { open: undefined, openForMs: FIRST_OPEN_MS, failuresInARow: 0, pingsMissed: 0, seconds: [] }

/** An open circuit becomes half open by the passing of time. */
export function stateOf({ open }: Circuit, now: number): CircuitState {
  if (!open) return 'closed'
  return now < open.until ? 'open' : 'half_open'
}

/** Whether the next request would be the one probe of a half-open circuit. */
export const wantsProbe = (circuit: Circuit, now: number): boolean =>
  stateOf(circuit, now) === 'half_open' && now >= circuit.open!.probingUntil

/** The circuit once a request has been let through to find out. */
export const probed = (circuit: Circuit, now: number): Circuit =>
  circuit.open ? { ...circuit, open: { ...circuit.open, probingUntil: now + PROBE_WITHIN_MS } } : circuit

/** A good answer closes a half-open circuit. One that comes while it is open was asked for before, or for want of others: its time is not cut short. */
export function afterAnswer(circuit: Circuit, now: number): Circuit {
  const counted = { ...circuit, failuresInARow: 0, seconds: count(circuit, now, 0) }
  return stateOf(circuit, now) === 'half_open' ? CLOSED : counted
}

/** `proven`: what it said was wrong, and that opens the circuit by itself. */
export function afterFailure(circuit: Circuit, now: number, proven: boolean): Circuit {
  const counted = { ...circuit, failuresInARow: circuit.failuresInARow + 1, seconds: count(circuit, now, 1) }
  switch (stateOf(circuit, now)) {
    case 'open':
      return counted
    case 'half_open':
      return opened(counted, now, proven ? 'proven_wrong' : 'probe_failed')
    case 'closed': {
      const reason = proven ? 'proven_wrong' : reasonToOpen(counted)
      return reason ? opened(counted, now, reason) : counted
    }
  }
}

/**
 * A party that answers no pings is given up before a request has to find out, and one that does not while its circuit is half open has failed
 * the probe. That it answers them proves nothing but that it lives.
 */
export function afterPing(circuit: Circuit, now: number, answered: boolean): Circuit {
  if (answered) return { ...circuit, pingsMissed: 0 }
  const counted = { ...circuit, pingsMissed: circuit.pingsMissed + 1 }
  const state = stateOf(circuit, now)
  if (state === 'half_open') return opened(counted, now, 'probe_failed')
  return state === 'closed' && counted.pingsMissed >= FAILURES_IN_A_ROW ? opened(counted, now, 'pings_missed') : counted
}

function opened(circuit: Circuit, now: number, reason: OpenReason): Circuit {
  return {
    ...circuit,
    open: { until: now + circuit.openForMs, reason, probingUntil: 0 },
    openForMs: Math.min(2 * circuit.openForMs, LONGEST_OPEN_MS),
  }
}

function reasonToOpen({ failuresInARow, seconds }: Circuit): OpenReason | undefined {
  if (failuresInARow >= FAILURES_IN_A_ROW) return 'failures_in_a_row'
  const asked = seconds.reduce((sum, each) => sum + each.asked, 0)
  const failed = seconds.reduce((sum, each) => sum + each.failed, 0)
  return asked >= RATE_MINIMUM && 2 * failed >= asked ? 'failure_rate' : undefined
}

function count({ seconds }: Circuit, now: number, failures: 0 | 1): Circuit['seconds'] {
  const second = Math.floor(now / 1000)
  const recent = seconds.filter((each) => each.second > second - RATE_WINDOW_S)
  const last = recent.at(-1)
  if (last?.second !== second) return [...recent, { second, asked: 1, failed: failures }]
  return [...recent.slice(0, -1), { second, asked: last.asked + 1, failed: last.failed + failures }]
}
