import { CIRCUIT_STATES, type CoordinatorReport, type Coordinators, type PartyReport } from '../../domain/ports/coordinators.ts'
import { Unavailable } from '../../domain/ports/event-log.ts'
import { type Messages, NoResponders, RequestTimeout } from '../../domain/ports/messages.ts'
import { boolean, finite, integer, known, list, Malformed, nullable, oneOf, text } from './shape.ts'

/** Coordinators say how they are every second; one that has missed three is taken to be gone. */
const SILENT_AFTER_MS = 3_500
/** More than a deployment can have: anybody who may publish could make them up. */
const MAX_COORDINATORS = 100
const MAX_PARTIES = 200
const ORDER_WITHIN_MS = 2_000

const count = integer(0, Number.MAX_SAFE_INTEGER)
const time = text(40, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
/** It stands in a subject. */
const id = text(64, /^[\w-]+$/)

const readParty = known<PartyReport>({
  partyId: id,
  circuit: oneOf(CIRCUIT_STATES),
  openUntil: nullable(time),
  failuresInARow: count,
  score: finite,
  latencyMs: nullable(finite),
  timeoutMs: finite,
})

const readReport = known<CoordinatorReport>({
  coordinatorId: id,
  startedAt: time,
  leaving: boolean,
  parties: list(readParty, MAX_PARTIES),
  queue: known<CoordinatorReport['queue']>({ depth: count, capacity: count }),
  running: count,
})

export type WatchedCoordinators = Coordinators & { close(): void }

/** Listens to what the coordinators say on `quorate.coordinators.<coordinatorId>`, and gives them orders on `….force-close`. */
export function watchCoordinators(messages: Pick<Messages, 'subscribe' | 'request'>): WatchedCoordinators {
  const heard = new Map<string, { at: number; report: CoordinatorReport }>()
  const listeners = new Set<(report: CoordinatorReport) => void>()
  const alive = () => {
    for (const [id, { at }] of heard) if (Date.now() - at > SILENT_AFTER_MS) heard.delete(id)
    return [...heard.values()].map(({ report }) => report)
  }
  const hear = (report: CoordinatorReport) => {
    const { coordinatorId, leaving } = report
    if (leaving) heard.delete(coordinatorId)
    else if (heard.has(coordinatorId) || alive().length < MAX_COORDINATORS) heard.set(coordinatorId, { at: Date.now(), report })
    for (const listener of listeners) listener(report)
  }
  const unsubscribe = messages.subscribe('quorate.coordinators.*', (payload, subject) => {
    const report = parseReport(payload)
    if (report && subject === `quorate.coordinators.${report.coordinatorId}`) hear(report)
  })

  /** Undefined when it has not answered, or nothing that could be read. */
  async function order(coordinatorId: string, partyId: string): Promise<CoordinatorReport | undefined> {
    try {
      const subject = `quorate.coordinators.${coordinatorId}.force-close`
      const report = parseReport(await messages.request(subject, new TextEncoder().encode(partyId), { timeoutMs: ORDER_WITHIN_MS }))
      if (report) hear(report)
      return report
    } catch (error) {
      if (error instanceof NoResponders || error instanceof RequestTimeout || error instanceof Unavailable) return undefined
      throw error
    }
  }

  return {
    reports: alive,
    listen(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async forceClose(partyId) {
      const asked = alive().map(({ coordinatorId }) => coordinatorId)
      const answers = await Promise.all(asked.map((coordinatorId) => order(coordinatorId, partyId)))
      const circuits = answers.flatMap((report) => {
        const party = report?.parties.find((each) => each.partyId === partyId)
        return report && party ? [{ coordinatorId: report.coordinatorId, circuit: party.circuit }] : []
      })
      if (circuits.length === 0) throw new Unavailable('coordinators')
      const answered = new Set(circuits.map(({ coordinatorId }) => coordinatorId))
      return { circuits, silent: asked.filter((each) => !answered.has(each)) }
    },
    close: unsubscribe,
  }
}

function parseReport(payload: Uint8Array): CoordinatorReport | undefined {
  try {
    return readReport(JSON.parse(new TextDecoder().decode(payload)))
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof Malformed) return undefined
    throw error
  }
}
