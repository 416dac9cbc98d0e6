import type { CreateReq, UpdateReq } from '@eventstore/db-client/generated/persistent_pb.js'
import type { StreamIdentifier } from '@eventstore/db-client/generated/shared_pb.js'
import { ALL, type GroupKey, type GroupSettings, STRATEGIES, type StrategyName } from '../persistent/settings.ts'
import type { GroupRequest } from '../persistent/subsystem.ts'
import type { FilterExpression } from '../streams/filter.ts'
import { BadRequest } from './errors.ts'
import { keyOf, streamName } from './mapping.ts'
import { compiled, type From, filterExpression } from './read-request.ts'

const TICKS_PER_MILLISECOND = 10_000

/** Strategies in the order of the older, numbered field. */
const NUMBERED_STRATEGIES: readonly StrategyName[] = ['DispatchToSingle', 'RoundRobin', 'Pinned']

/** The largest unsigned 64-bit integer. */
const OLD_END = '18446744073709551615'

type Target = { hasAll(): boolean; getStreamIdentifier(): StreamIdentifier | undefined; getGroupName(): string }

/** Which group a request is about. @throws BadRequest */
export function groupKey(options: Target | undefined): GroupKey {
  if (!options) throw new BadRequest('the options are missing')
  return { source: options.hasAll() ? ALL : streamName(options.getStreamIdentifier()?.getStreamName_asU8()), name: options.getGroupName() }
}

/** What a group is to be like, and which one. @throws BadRequest */
export function groupRequest(options: CreateReq.Options | UpdateReq.Options | undefined): { key: GroupKey; request: GroupRequest } {
  const settings = options?.getSettings()
  if (!options || !settings) throw new BadRequest('the settings are missing')
  const all = options.getAll()
  const one = options.getStream()
  const identifier = one?.getStreamIdentifier() ?? options.getStreamIdentifier()
  const filter = all && 'getFilter' in all ? all.getFilter() : undefined
  return {
    key: { source: all ? ALL : streamName(identifier?.getStreamName_asU8()), name: options.getGroupName() },
    request: {
      settings: groupSettings(settings),
      startFrom: startFrom(options),
      ...(filter && { filter: validFilter(filter) }),
    },
  }
}

/** @throws BadRequest */
function validFilter(filter: CreateReq.AllOptions.FilterOptions): FilterExpression {
  const [on, sent] = filter.hasStreamIdentifier()
    ? (['stream', filter.getStreamIdentifier()] as const)
    : (['type', filter.getEventType()] as const)
  const expression = sent && filterExpression(on, sent.getRegex(), sent.getPrefixList())
  compiled(expression)
  return expression as FilterExpression
}

/** `exact` is the revision or position asked for, when that is what the options hold. @throws BadRequest */
function fromOf(options: { hasEnd(): boolean }, exact: string | undefined): From {
  if (exact !== undefined) return keyOf(exact)
  return options.hasEnd() ? 'end' : 'start'
}

/** In the older form it is among the settings, for a stream only. */
function startFrom(options: CreateReq.Options | UpdateReq.Options): GroupRequest['startFrom'] {
  const all = options.getAll()
  if (all) return fromOf(all, all.getPosition()?.getCommitPosition())
  const one = options.getStream()
  if (one) return fromOf(one, one.hasRevision() ? one.getRevision() : undefined)
  const revision = options.getSettings()?.getRevision() ?? '0'
  return fromOf({ hasEnd: () => revision === OLD_END }, revision === OLD_END ? undefined : revision)
}

function groupSettings(settings: CreateReq.Settings | UpdateReq.Settings): GroupSettings {
  return {
    resolveLinks: settings.getResolveLinks(),
    extraStatistics: settings.getExtraStatistics(),
    maxRetryCount: settings.getMaxRetryCount(),
    maxSubscriberCount: settings.getMaxSubscriberCount(),
    messageTimeoutMs: settings.hasMessageTimeoutMs()
      ? settings.getMessageTimeoutMs()
      : Number(settings.getMessageTimeoutTicks()) / TICKS_PER_MILLISECOND,
    checkpointAfterMs: settings.hasCheckpointAfterMs()
      ? settings.getCheckpointAfterMs()
      : Number(settings.getCheckpointAfterTicks()) / TICKS_PER_MILLISECOND,
    minCheckpointCount: settings.getMinCheckpointCount(),
    maxCheckpointCount: settings.getMaxCheckpointCount(),
    liveBufferSize: settings.getLiveBufferSize(),
    readBatchSize: settings.getReadBatchSize(),
    historyBufferSize: settings.getHistoryBufferSize(),
    strategy: strategyOf(settings),
  }
}

function strategyOf(settings: CreateReq.Settings | UpdateReq.Settings): StrategyName {
  const named = 'getConsumerStrategy' in settings ? settings.getConsumerStrategy() : ''
  const strategy = named === '' ? NUMBERED_STRATEGIES[settings.getNamedConsumerStrategy()] : STRATEGIES.find((name) => name === named)
  if (!strategy) throw new BadRequest(`there is no consumer strategy '${named}'`)
  return strategy
}
