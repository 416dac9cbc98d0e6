import { Gauge, type Registry } from 'prom-client'
import type { Freshness } from '../freshness.ts'
import { type BuildSummary, rebuildProgress, summarise } from './build-summary.ts'
import type { OperatedProjections } from './operated.ts'

type Observed = {
  freshness: Freshness | undefined
  active: BuildSummary | undefined
  rebuild: BuildSummary | undefined
}

/** Each is told when it is known; nothing is made up for what no worker speaks of. */
const GAUGES: readonly { name: string; help: string; value(observed: Observed): number | undefined }[] = [
  {
    name: 'quorate_projection_position',
    help: 'Everything up to this position of the log is in the build that is read from.',
    value: ({ freshness }) => numberOf(freshness?.reading()?.position),
  },
  {
    name: 'quorate_projection_staleness_milliseconds',
    help: 'How long ago the build that is read from was last known to hold everything in the log.',
    value: ({ freshness }) => ageOf(freshness?.reading()?.currentAt),
  },
  {
    name: 'quorate_projection_lag_events',
    help: 'Events known to be in the log and not applied yet.',
    value: ({ active }) => active?.lagEvents,
  },
  {
    name: 'quorate_projection_lag_milliseconds',
    help: 'From the recording of the last event applied until its application.',
    value: ({ active }) => active?.lagMs,
  },
  {
    name: 'quorate_projection_parked_events',
    help: 'Events that cannot be applied; later ones of their streams are held back.',
    value: ({ active }) => active?.parked,
  },
  {
    name: 'quorate_projection_failing',
    help: '1 while a worker cannot go on with it.',
    value: ({ active }) => active && Number(active.failure !== null),
  },
  {
    name: 'quorate_projection_workers',
    help: 'Workers that keep partitions of the build that is read from.',
    value: ({ active }) => active?.workers ?? 0,
  },
  {
    name: 'quorate_projection_unattended_partitions',
    help: 'Partitions of the build that is read from that no worker keeps.',
    value: ({ active }) => active?.unattendedPartitions,
  },
  {
    name: 'quorate_projection_rebuild_progress_ratio',
    help: 'Events that the build in the making has considered, of all; absent while there is none.',
    value: ({ active, rebuild }) => rebuild && ratioOf(rebuildProgress(rebuild, active)),
  },
  {
    name: 'quorate_projection_rebuild_parked_events',
    help: 'Events that the build in the making cannot apply; absent while there is none.',
    value: ({ rebuild }) => rebuild?.parked,
  },
]

/** Registers gauges of every projection, measured whenever they are asked for. */
export function observeProjections(registry: Registry, { models, workers, catalogue }: Omit<OperatedProjections, 'alertWorkers'>): void {
  const followed: { readonly [name: string]: Freshness } = models.freshness
  const observe = (name: string): Observed => {
    const reports = workers.reports()
    const freshness = followed[name]
    const read = freshness?.reading()?.build.id
    return {
      freshness,
      active: summarise(reports, (report) => report.projection === name && report.build === read),
      rebuild: summarise(reports, (report) => report.projection === name && report.role === 'building' && report.build !== read),
    }
  }
  for (const { name, help, value } of GAUGES) {
    new Gauge({
      name,
      help,
      labelNames: ['projection'],
      registers: [registry],
      collect() {
        this.reset()
        for (const { name: projection } of catalogue) {
          const measured = value(observe(projection))
          if (measured !== undefined) this.set({ projection }, measured)
        }
      },
    })
  }
}

const ratioOf = ({ events, of }: { events: number; of: number }) => (of === 0 ? 1 : events / of)

const numberOf = (position: bigint | undefined) => (position === undefined ? undefined : Number(position))

const ageOf = (at: number | undefined) => (at === undefined ? undefined : Math.max(0, Date.now() - at))
