import type { EndpointReport, EndpointState } from '../../../domain/ports/coordinators.ts'
import type { CallOutcome, RpcObserver } from './endpoint.ts'

/** More than a deployment has; and codes of errors, which anybody who answers could make up. */
const MAX_ENDPOINTS = 500
const MAX_CODES = 20
const OTHER = 'other'

type Counts = { chain: string; endpoint: number; state: EndpointState; seconds: number } & {
  outcomes: Record<CallOutcome, number>
  errors: Map<string, number>
}

/** Counts what endpoints do since this process began, where others show it. */
export function rpcTally(): RpcObserver & { reports(): readonly EndpointReport[] } {
  const all = new Map<string, Counts>()
  const countsOf = (chain: string, endpoint: number): Counts | undefined => {
    const name = `${chain} ${endpoint}`
    const known = all.get(name)
    if (known || all.size === MAX_ENDPOINTS) return known
    const outcomes = { answered: 0, refused: 0, failed: 0, rate_limited: 0 }
    const counts: Counts = { chain, endpoint, state: 'up', seconds: 0, outcomes, errors: new Map() }
    all.set(name, counts)
    return counts
  }
  return {
    called(chain, endpoint, outcome, seconds, code) {
      const counts = countsOf(chain, endpoint)
      if (!counts) return
      counts.outcomes[outcome]++
      counts.seconds += seconds
      if (code === undefined) return
      const { errors } = counts
      const counted = errors.has(code) || errors.size < MAX_CODES ? code : OTHER
      errors.set(counted, (errors.get(counted) ?? 0) + 1)
    },
    changed(chain, endpoint, state) {
      const counts = countsOf(chain, endpoint)
      if (counts) counts.state = state
    },
    reports: () => [...all.values()].map(({ errors, ...counts }) => ({ ...counts, errors: Object.fromEntries(errors) })),
  }
}
