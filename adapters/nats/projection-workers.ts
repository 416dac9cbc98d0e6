import type { Messages } from '../../domain/ports/messages.ts'
import { type BuildReport, PARTITIONS, type ProjectionWorkers, type WorkerReport } from '../../domain/ports/projections.ts'
import { boolean, finite, integer, known, list, Malformed, nullable, oneOf, text } from './shape.ts'

/** Workers say how they are every second; one that has missed three is taken to be gone. */
const SILENT_AFTER_MS = 3_500
/** More than a deployment can have: anybody who may publish could make up workers. */
const MAX_WORKERS = 1_000
const MAX_BUILDS = 100

const position = text(20, /^\d+$/)
const count = integer(0, Number.MAX_SAFE_INTEGER)
const time = text(40, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)

const readBuild = known<BuildReport>({
  projection: text(64),
  version: integer(0, Number.MAX_SAFE_INTEGER),
  build: text(64),
  role: oneOf(['active', 'building']),
  partitions: list(integer(0, PARTITIONS - 1), PARTITIONS),
  position: nullable(position),
  lagEvents: count,
  lagMs: finite,
  currentAt: nullable(time),
  events: count,
  parked: count,
  failure: nullable(text(10_000)),
})

const readReport = known<WorkerReport>({
  workerId: text(128),
  startedAt: time,
  leaving: boolean,
  builds: list(readBuild, MAX_BUILDS),
})

export type WatchedWorkers = ProjectionWorkers & {
  /** Hands each report to the listener as it comes, until the returned function is called. */
  listen(listener: (report: WorkerReport) => void): () => void
  close(): void
}

/** Listens to what the projection workers say of themselves on `quorate.projections.<workerId>`. */
export function watchProjectionWorkers(messages: Pick<Messages, 'subscribe'>): WatchedWorkers {
  const heard = new Map<string, { at: number; report: WorkerReport }>()
  const listeners = new Set<(report: WorkerReport) => void>()
  const forgetSilent = () => {
    for (const [id, { at }] of heard) if (Date.now() - at > SILENT_AFTER_MS) heard.delete(id)
  }
  const unsubscribe = messages.subscribe('quorate.projections.*', (payload, subject) => {
    const report = parseReport(payload)
    // Others speak on these subjects too; a worker speaks on its own.
    if (!report || subject !== `quorate.projections.${report.workerId}`) return
    forgetSilent()
    if (report.leaving) heard.delete(report.workerId)
    else if (heard.has(report.workerId) || heard.size < MAX_WORKERS) heard.set(report.workerId, { at: Date.now(), report })
    for (const listener of listeners) listener(report)
  })
  return {
    reports() {
      forgetSilent()
      return [...heard.values()].map(({ report }) => report)
    },
    listen(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: unsubscribe,
  }
}

function parseReport(payload: Uint8Array): WorkerReport | undefined {
  try {
    return readReport(JSON.parse(new TextDecoder().decode(payload)))
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof Malformed) return undefined
    throw error
  }
}
