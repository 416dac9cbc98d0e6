import type { Witness } from '../../domain/ceremony/sayings.ts'
import { isReport, type SignedReport } from '../../domain/ceremony/signed-report.ts'
import {
  CIRCUIT_STATES,
  type ClosureOrder,
  type CoordinatorReport,
  type Coordinators,
  ENDPOINT_STATES,
  type EndpointReport,
  type PartyReport,
} from '../../domain/ports/coordinators.ts'
import { Unavailable } from '../../domain/ports/event-log.ts'
import { type Messages, NoResponders, RequestTimeout } from '../../domain/ports/messages.ts'
import { GOOD_FOR_MS } from '../../domain/ports/party-channel.ts'
import { boolean, finite, integer, known, list, Malformed, nullable, oneOf, type Read, record, text } from './shape.ts'

/** Coordinators say how they are every second; one that has missed three is taken to be gone. */
const SILENT_AFTER_MS = 3_500
/** More than a deployment can have: anybody who may publish could make them up. */
const MAX_COORDINATORS = 100
const MAX_PARTIES = 200
const MAX_ENDPOINTS = 500
const MAX_CODES = 50
const ORDER_WITHIN_MS = 2_000
const MAX_REPORT = 256 * 1024

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

const readErrors: Read<EndpointReport['errors']> = (value) => {
  const errors = Object.entries(Object(value)).map(([code, number]) => [text(40, /^[\w-]+$/)(code), count(number)] as const)
  if (errors.length > MAX_CODES) throw new Malformed('fewer codes expected')
  return Object.fromEntries(errors)
}

const readEndpoint = known<EndpointReport>({
  chain: text(41, /^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}$/),
  endpoint: count,
  state: oneOf(ENDPOINT_STATES),
  outcomes: known<EndpointReport['outcomes']>({ answered: count, refused: count, failed: count, rate_limited: count }),
  seconds: finite,
  errors: readErrors,
})

const readWhole = known<Required<CoordinatorReport>>({
  coordinatorId: id,
  startedAt: time,
  leaving: boolean,
  parties: list(readParty, MAX_PARTIES),
  queue: known<CoordinatorReport['queue']>({ depth: count, capacity: count }),
  running: count,
  endpoints: list(readEndpoint, MAX_ENDPOINTS),
})

/** A coordinator of an older version says nothing of endpoints. */
const readReport: Read<CoordinatorReport> = (value) => readWhole({ endpoints: [], ...Object(value) })

const readSigned = record<SignedReport>({
  by: text(64),
  at: count,
  report: text(MAX_REPORT),
  signature: text(128, /^[0-9a-f]{128}$/),
})

export type WatchedCoordinators = Coordinators & { close(): void }

/**
 * Listens to what the coordinators say on `quorate.coordinators.<coordinatorId>`, and tells them of orders on `….force-close`. What none of the registry has
 * signed, and what is older than what was heard last, is not heard.
 */
export function watchCoordinators(messages: Pick<Messages, 'subscribe' | 'request'>, witness: Witness): WatchedCoordinators {
  const heard = new Map<string, { at: number; report: CoordinatorReport }>()
  /** When each has said what was heard last; forgotten when it could not be played again any more. */
  const lastSaid = new Map<string, number>()
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
  /** The report, if it is this coordinator's, genuine, and news. */
  const read = (payload: Uint8Array, subject: string): CoordinatorReport | undefined => {
    const signed = parse(payload, readSigned)
    if (!signed || Math.abs(Date.now() - signed.at) > GOOD_FOR_MS || !isReport(signed, witness)) return undefined
    const report = parse(Buffer.from(signed.report), readReport)
    if (!report || subject !== `quorate.coordinators.${report.coordinatorId}`) return undefined
    for (const [id, at] of lastSaid) if (Date.now() - at > GOOD_FOR_MS) lastSaid.delete(id)
    if (signed.at <= (lastSaid.get(report.coordinatorId) ?? 0)) return undefined
    lastSaid.set(report.coordinatorId, signed.at)
    return report
  }
  const unsubscribe = messages.subscribe('quorate.coordinators.*', (payload, subject) => {
    const report = read(payload, subject)
    if (report) hear(report)
  })

  /** Undefined when it has not answered, or nothing that is news of it. */
  async function tell(coordinatorId: string, { partyId, revision }: ClosureOrder): Promise<CoordinatorReport | undefined> {
    try {
      const subject = `quorate.coordinators.${coordinatorId}`
      const order = new TextEncoder().encode(JSON.stringify({ partyId, revision: String(revision) }))
      const report = read(await messages.request(`${subject}.force-close`, order, { timeoutMs: ORDER_WITHIN_MS }), subject)
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
    async forceClose(order) {
      const asked = alive().map(({ coordinatorId }) => coordinatorId)
      const answers = await Promise.all(asked.map((coordinatorId) => tell(coordinatorId, order)))
      const circuits = answers.flatMap((report) => {
        const party = report?.parties.find((each) => each.partyId === order.partyId)
        return report && party ? [{ coordinatorId: report.coordinatorId, circuit: party.circuit }] : []
      })
      if (circuits.length === 0) throw new Unavailable('coordinators')
      const answered = new Set(circuits.map(({ coordinatorId }) => coordinatorId))
      return { circuits, silent: asked.filter((each) => !answered.has(each)) }
    },
    close: unsubscribe,
  }
}

function parse<T>(payload: Uint8Array, read: Read<T>): T | undefined {
  try {
    return read(JSON.parse(new TextDecoder().decode(payload)))
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof Malformed) return undefined
    throw error
  }
}
