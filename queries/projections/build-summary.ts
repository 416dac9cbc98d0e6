import { type BuildReport, PARTITIONS, type WorkerReport } from '../../domain/ports/projections.ts'
import { leastOf } from '../least.ts'

/** What all workers together say of one build: of each figure the one that is furthest behind. */
export type BuildSummary = {
  build: string
  version: number
  workers: number
  /** Of which no worker says that it keeps them. */
  unattendedPartitions: number
  position: bigint | undefined
  lagEvents: number
  lagMs: number
  /** ms since the epoch. */
  currentAt: number | undefined
  /** Considered since the beginning of the log. */
  events: number
  parked: number
  failure: string | null
}

/** Of the build that `isOf` picks; undefined while no worker keeps anything of it. */
export function summarise(reports: readonly WorkerReport[], isOf: (report: BuildReport) => boolean): BuildSummary | undefined {
  const said = reports.flatMap(({ builds }) => builds.filter((each) => isOf(each) && each.partitions.length > 0))
  const [first] = said
  if (!first) return undefined
  return {
    build: first.build,
    version: first.version,
    workers: said.length,
    unattendedPartitions: PARTITIONS - new Set(said.flatMap(({ partitions }) => partitions)).size,
    position: leastOf(said.map(({ position }) => (position === null ? undefined : BigInt(position)))),
    lagEvents: Math.max(...said.map(({ lagEvents }) => lagEvents)),
    lagMs: Math.max(...said.map(({ lagMs }) => lagMs)),
    currentAt: leastOf(said.map(({ currentAt }) => (currentAt === null ? undefined : Date.parse(currentAt)))),
    events: Math.min(...said.map(({ events }) => events)),
    parked: Math.max(...said.map(({ parked }) => parked)),
    failure: said.find(({ failure }) => failure !== null)?.failure ?? null,
  }
}

/** How many of how many events a build in the making has considered. What the build that is read from knows of may be more than it has heard of itself. */
export function rebuildProgress(
  { events, lagEvents }: Pick<BuildSummary, 'events' | 'lagEvents'>,
  active: Pick<BuildSummary, 'events' | 'lagEvents'> | undefined,
): { events: number; of: number; percent: number } {
  const of = Math.max(events + lagEvents, active ? active.events + active.lagEvents : 0)
  return { events, of, percent: of === 0 ? 100 : Math.floor((1000 * events) / of) / 10 }
}
