import type { Build, Builds, WorkerReport } from '../../domain/ports/projections.ts'
import type { Shape } from '../present.ts'
import { type BuildSummary, rebuildProgress, summarise } from './build-summary.ts'

/** Workers report every second. */
const CURRENT_WITHIN_MS = 1_500

const time = { type: 'string', format: 'date-time' }
const position = {
  type: ['string', 'null'],
  pattern: '^\\d+$',
  description: 'Everything up to here is in it; null before the first event.',
}
const failure = { type: ['string', 'null'], description: 'What keeps a worker from going on just now.' }
const parked = { type: 'integer', description: 'Streams held back by an event that cannot be applied.' }

const REBUILD = {
  type: ['object', 'null'],
  description: 'The build being made, which readers turn to once it has caught up.',
  required: ['build', 'version', 'startedAt', 'events', 'of', 'percent', 'position', 'parked', 'failure'],
  properties: {
    build: { type: 'string' },
    version: { type: 'integer' },
    startedAt: time,
    events: { type: ['integer', 'null'], description: 'Considered so far; null until a worker has taken it up.' },
    of: { type: ['integer', 'null'], description: 'How many there are to consider, as far as is known.' },
    percent: { type: ['number', 'null'], minimum: 0, maximum: 100 },
    position,
    parked,
    failure,
  },
}

export const PROJECTION: Shape = {
  title: 'Projection',
  type: 'object',
  required: ['name', 'status', 'active', 'rebuild'],
  properties: {
    name: { type: 'string' },
    status: {
      type: 'string',
      enum: ['current', 'behind', 'failing', 'unattended', 'building'],
      description:
        'current: holds everything in the log. behind: does not, or has not been heard to lately. failing: a worker cannot go on. unattended: some partitions have no worker. building: there is nothing to read yet but what is being made.',
    },
    active: {
      type: ['object', 'null'],
      description: 'The build that is read from; the figures of workers are null while none speaks of it.',
      required: [
        'build',
        'version',
        'startedAt',
        'position',
        'lagEvents',
        'lagMs',
        'stalenessMs',
        'parked',
        'failure',
        'workers',
        'unattendedPartitions',
      ],
      properties: {
        build: { type: 'string' },
        version: { type: 'integer' },
        startedAt: time,
        position,
        lagEvents: { type: ['integer', 'null'], description: 'Known to be in the log and not applied yet.' },
        lagMs: { type: ['number', 'null'], description: 'From the recording of the last event applied until its application.' },
        stalenessMs: { type: ['integer', 'null'], description: 'How long ago it was last known to hold everything in the log.' },
        parked,
        failure,
        workers: { type: 'integer' },
        unattendedPartitions: { type: 'integer' },
      },
    },
    rebuild: REBUILD,
  },
}

/** A projection as an operator sees it. */
export function projectionView(name: string, { active, building }: Builds, reports: readonly WorkerReport[], now = Date.now()): object {
  const summaryOf = (build: Build | undefined) =>
    build && summarise(reports, (report) => report.projection === name && report.build === build.id)
  const read = summaryOf(active)
  const made = summaryOf(building)
  return {
    name,
    status: active ? statusOf(read, now) : 'building',
    active: active ? { ...known(active, read), ...lagOf(read, now) } : null,
    rebuild: building ? { ...known(building, made), ...progressOf(made, read) } : null,
  }
}

function statusOf(read: BuildSummary | undefined, now: number): string {
  if (!read || read.unattendedPartitions > 0) return 'unattended'
  if (read.failure !== null) return 'failing'
  return read.currentAt !== undefined && now - read.currentAt <= CURRENT_WITHIN_MS ? 'current' : 'behind'
}

function known({ id, version, startedAt }: Build, summary: BuildSummary | undefined): object {
  return {
    build: id,
    version,
    startedAt,
    position: summary?.position === undefined ? null : String(summary.position),
    parked: summary?.parked ?? null,
    failure: summary?.failure ?? null,
  }
}

function lagOf(read: BuildSummary | undefined, now: number): object {
  return {
    lagEvents: read?.lagEvents ?? null,
    lagMs: read?.lagMs ?? null,
    stalenessMs: read?.currentAt === undefined ? null : Math.max(0, now - read.currentAt),
    workers: read?.workers ?? 0,
    unattendedPartitions: read?.unattendedPartitions ?? null,
  }
}

function progressOf(made: BuildSummary | undefined, read: BuildSummary | undefined): object {
  return made ? rebuildProgress(made, read) : { events: null, of: null, percent: null }
}
