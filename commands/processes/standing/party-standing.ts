import type { CircuitState, PartyReport } from '../../../domain/ports/coordinators.ts'
import { afterAnswer, afterFailure, afterPing, type Circuit, CLOSED, type OpenReason, probed, stateOf, wantsProbe } from './circuit.ts'
import { healthScore, medianLatencyMs, type Outcome, type Outcomes, withOutcome } from './health-score.ts'
import { afterAnswerIn, afterSilence, lateAfter, type ResponseTime, timeoutOf, UNKNOWN_RESPONSE_TIME } from './response-time.ts'

/** What this coordinator has learnt of the parties, and what follows for whom to ask and how long to wait. */
export interface PartyStanding {
  /**
   * The parties that may be asked, the likeliest to answer well first. Those whose breaker is open are left out while there is one to spare
   * without them, and come last otherwise: a breaker makes no session impossible. One that is to be probed takes the last of the first `needed`
   * places.
   */
  rank(parties: readonly string[], needed: number): string[]
  /** ms to wait for this party's answer in a round. */
  timeoutMs(partyId: string): number
  /** ms after which this party's answer is later than it used to be; 0 when none is known. */
  lateAfterMs(partyId: string): number
  answered(partyId: string, ms: number): void
  /**
   * `absent`: no answer. `refused`: an answer that it cannot, for reasons of its own; never one for which the request is to blame, or whoever makes
   * bad requests could have all parties shunned. `proven`: what it has said, and was reported as answered, is wrong.
   */
  failed(partyId: string, kind: 'absent' | 'refused' | 'proven'): void
}

/** The standing as those see it who keep it: pings, operators, and whoever publishes it. */
export type KeptStanding = PartyStanding & {
  pinged(partyId: string, answered: boolean): void
  /** Forgets what spoke against the party. Done again it changes nothing. */
  forceClose(partyId: string): void
  reports(): PartyReport[]
}

export type CircuitChange = { partyId: string; from: CircuitState } & (
  | { to: 'open'; reason: OpenReason; until: number }
  | { to: 'closed'; reason: 'answered' | 'forced' }
)

export type StandingOptions = {
  /** The parties of this deployment. */
  parties: readonly string[]
  /** Whether something has been heard of the party lately. */
  isUp(partyId: string): boolean
  onChange?(change: CircuitChange): void
  /** ms since the epoch. */
  now?(): number
  /** From 0 to 1. */
  random?(): number
}

type Party = { circuit: Circuit; outcomes: Outcomes; time: ResponseTime; failedAt: number }

const NEW: Party = { circuit: CLOSED, outcomes: [], time: UNKNOWN_RESPONSE_TIME, failedAt: Number.NEGATIVE_INFINITY }

/** Who has failed is asked after all others for this long. */
const FAILURE_REMEMBERED_MS = 15_000
/** Scores this close are equal, and chance decides, so that the work is spread. */
const EQUAL_WITHIN = 0.05

export function createPartyStanding({
  parties: ids,
  isUp,
  onChange = () => {},
  now = Date.now,
  random = Math.random,
}: StandingOptions): KeptStanding {
  const parties = new Map<string, Party>(ids.map((id) => [id, NEW]))
  const of = (partyId: string): Party => parties.get(partyId) ?? NEW

  function become(partyId: string, next: Partial<Party>, reason: 'answered' | 'forced' = 'answered'): void {
    const at = now()
    const before = of(partyId)
    const after = { ...before, ...next }
    parties.set(partyId, after)
    const from = stateOf(before.circuit, at)
    if (after.circuit.open && after.circuit.open.until !== before.circuit.open?.until) {
      const { reason, until } = after.circuit.open
      onChange({ partyId, from, to: 'open', reason, until })
    } else if (!after.circuit.open && before.circuit.open) onChange({ partyId, from, to: 'closed', reason })
  }

  const place = (partyId: string, at: number): number => {
    const { outcomes, failedAt } = of(partyId)
    const hasFailedLately = at - failedAt < FAILURE_REMEMBERED_MS
    return (isUp(partyId) ? 0 : 4) + (hasFailedLately ? 2 : 0) - healthScore(outcomes, at) - random() * EQUAL_WITHIN
  }

  return {
    rank(candidates, needed) {
      const at = now()
      const places = new Map(candidates.map((id) => [id, place(id, at)]))
      const ordered = candidates.toSorted((a, b) => places.get(a)! - places.get(b)!)
      const closed = ordered.filter((id) => stateOf(of(id).circuit, at) === 'closed')
      const shunned = ordered.filter((id) => !closed.includes(id))
      const probe = shunned.find((id) => isUp(id) && wantsProbe(of(id).circuit, at))
      const asked = probe === undefined ? closed : closed.toSpliced(needed - 1, 0, probe)
      if (probe !== undefined) become(probe, { circuit: probed(of(probe).circuit, at) })
      return asked.length > needed ? asked : [...asked, ...shunned.filter((id) => id !== probe)]
    },
    timeoutMs: (partyId) => timeoutOf(of(partyId).time),
    lateAfterMs: (partyId) => lateAfter(of(partyId).time),
    answered(partyId, ms) {
      const { circuit, outcomes, time } = of(partyId)
      const at = now()
      become(partyId, {
        circuit: afterAnswer(circuit, at),
        outcomes: withOutcome(outcomes, { at, kind: 'answered', ms }),
        time: afterAnswerIn(time, ms),
      })
    },
    failed(partyId, kind) {
      const { circuit, outcomes, time } = of(partyId)
      const at = now()
      const outcome: Outcome = { at, kind: kind === 'proven' ? 'wrong' : 'unanswered' }
      become(partyId, {
        circuit: afterFailure(circuit, at, kind === 'proven'),
        outcomes: withOutcome(outcomes, outcome),
        time: kind === 'absent' ? afterSilence(time) : time,
        failedAt: at,
      })
    },
    pinged(partyId, answered) {
      become(partyId, { circuit: afterPing(of(partyId).circuit, now(), answered) })
    },
    forceClose(partyId) {
      become(partyId, NEW, 'forced')
    },
    reports() {
      const at = now()
      return [...parties].map(([partyId, { circuit, outcomes, time }]) => {
        const state = stateOf(circuit, at)
        return {
          partyId,
          circuit: state,
          openUntil: state === 'open' ? new Date(circuit.open!.until).toISOString() : null,
          failuresInARow: circuit.failuresInARow,
          score: healthScore(outcomes, at),
          latencyMs: medianLatencyMs(outcomes, at) ?? null,
          timeoutMs: timeoutOf(time),
        }
      })
    },
  }
}
