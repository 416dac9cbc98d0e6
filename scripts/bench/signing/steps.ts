import type { Messages } from '../../../domain/ports/messages.ts'
import { type Figure, latencyOf } from '../figures.ts'

/** When something was seen to happen to a session, by this process's clock; milliseconds. */
export type Seen = { step: string; at: number }

export type Watch = {
  /** What has been seen of a session, which is forgotten. */
  seen(sessionId: string): readonly Seen[]
  stop(): void
}

/** Listens to what coordinators say of the sessions that they work on. */
export function watchSessions(messages: Pick<Messages, 'subscribe'>): Watch {
  const sessions = new Map<string, Seen[]>()
  const stop = messages.subscribe('quorate.progress.*', (payload) => {
    const at = performance.now()
    const { kind, ceremonyId, step } = JSON.parse(new TextDecoder().decode(payload)) as { kind: string; ceremonyId: string; step: string }
    if (kind !== 'signing') return
    const seen = sessions.get(ceremonyId) ?? []
    sessions.set(ceremonyId, seen)
    seen.push({ step, at })
  })
  return {
    seen(sessionId) {
      const seen = sessions.get(sessionId) ?? []
      sessions.delete(sessionId)
      return seen
    },
    stop,
  }
}

/** One signature, from the request to the answer that holds it. */
export type Signed = { requested: number; accepted: number; readable: number; seen: readonly Seen[] }

/** How long each step of the signatures took. Sessions of more than one attempt are left out: they have other steps. */
export function stepsOf(signatures: readonly Signed[], of: string, under: string): Figure[] {
  const steps = new Map<string, number[]>()
  for (const { requested, accepted, readable, seen } of signatures) {
    const times = timesOf(seen)
    if (!times) continue
    const { started, opened, contributed, completed } = times
    const took: { [step: string]: number } = {
      'command accepted': accepted - requested,
      'coordinator begins': started - accepted,
      ...(opened === undefined ? {} : { 'parties have opened': opened - started }),
      'parties have contributed': contributed - (opened ?? started),
      'signature recorded': completed - contributed,
      'signature readable': readable - completed,
    }
    for (const [step, milliseconds] of Object.entries(took)) steps.set(step, [...(steps.get(step) ?? []), milliseconds])
  }
  return [...steps].map(([step, milliseconds]) => {
    const { p50, p99 } = latencyOf(milliseconds)
    return { name: `step, ${under}: ${step}`, of, value: p50, unit: 'ms', p99ms: p99 }
  })
}

/** How long the last round of each signature took: the parties' contributions, and what is made of them. In milliseconds, of sessions of one attempt. */
export function lastRoundsOf(signatures: readonly Signed[]): number[] {
  return signatures.flatMap(({ seen }) => {
    const times = timesOf(seen)
    return times ? [times.contributed - (times.opened ?? times.started)] : []
  })
}

function timesOf(seen: readonly Seen[]) {
  const [started, ...rest] = seen
  const completed = rest.pop()
  const rounds = rest.map(({ at }) => at)
  const contributed = rounds.pop()
  const isWhole = started?.step === 'started' && completed?.step === 'completed' && rest.every(({ step }) => step === 'round_completed')
  if (!isWhole || contributed === undefined) return undefined
  return { started: started.at, opened: rounds.at(-1), contributed, completed: completed.at }
}
