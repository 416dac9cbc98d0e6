import type { FilterExpression } from '../streams/filter.ts'

export const STRATEGIES = ['DispatchToSingle', 'RoundRobin', 'Pinned', 'PinnedByCorrelation'] as const
export type StrategyName = (typeof STRATEGIES)[number]

export type GroupSettings = {
  resolveLinks: boolean
  extraStatistics: boolean
  maxRetryCount: number
  /** 0: no limit. */
  maxSubscriberCount: number
  messageTimeoutMs: number
  checkpointAfterMs: number
  minCheckpointCount: number
  maxCheckpointCount: number
  liveBufferSize: number
  readBatchSize: number
  historyBufferSize: number
  strategy: StrategyName
}

/** What is kept of a group. `after` is where it began: a revision or position that was not delivered, resolved when the group was made. */
export type GroupConfig = {
  settings: GroupSettings
  startFrom: 'start' | 'end' | number
  after: number
  filter?: FilterExpression | undefined
}

export const ALL = '$all'

/** Where a group takes its events from: a stream, or ALL. */
export type GroupKey = { source: string; name: string }

export const checkpointStreamOf = ({ source, name }: GroupKey): string => `$persistentsubscription-${source}::${name}-checkpoint`

export const parkedStreamOf = ({ source, name }: GroupKey): string => `$persistentsubscription-${source}::${name}-parked`

/** The streams that groups keep their own state in. */
export const isGroupStream = (stream: string): boolean =>
  stream.startsWith('$persistentsubscription-') || stream.startsWith('$$$persistentsubscription-')

/** What is wrong with the settings, if anything. */
export function settingsProblem({ historyBufferSize, readBatchSize }: GroupSettings): string | undefined {
  return historyBufferSize <= readBatchSize ? 'the history buffer must be larger than the read batch' : undefined
}
