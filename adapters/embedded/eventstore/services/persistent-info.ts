import type { SubscriptionInfo } from '@eventstore/db-client/generated/persistent_pb.js'
import type { Log } from '../log/log.ts'
import { keyText } from '../persistent/checkpoint.ts'
import type { Consumer } from '../persistent/consumer.ts'
import type { Runner } from '../persistent/runner.ts'
import { ALL } from '../persistent/settings.ts'
import { persistent } from './generated.ts'

/** A group's settings, consumers and figures. */
export function subscriptionInfo(log: Log, runner: Runner): SubscriptionInfo {
  const { key, config, group } = runner
  const { settings, startFrom } = config
  const lastKnown = key.source === ALL ? log.head() : log.lastRevision(key.source)
  const checkpoint = runner.checkpoint()
  const info = new persistent.SubscriptionInfo()
  info.setEventSource(key.source)
  info.setGroupName(key.name)
  info.setStatus('Live')
  info.setConnectionsList(group.consumers.map(connectionInfo))
  info.setTotalItems(String(group.totalItems))
  info.setLastCheckpointedEventPosition(checkpoint === undefined ? '' : keyText(key.source, checkpoint))
  info.setLastKnownEventPosition(lastKnown < 0 ? '' : keyText(key.source, lastKnown))
  info.setResolveLinkTos(settings.resolveLinks)
  info.setStartFrom(keyText(key.source, startFrom === 'start' ? 0 : startFrom === 'end' ? -1 : startFrom))
  info.setMessageTimeoutMilliseconds(settings.messageTimeoutMs)
  info.setExtraStatistics(settings.extraStatistics)
  info.setMaxRetryCount(settings.maxRetryCount)
  info.setLiveBufferSize(settings.liveBufferSize)
  info.setBufferSize(settings.historyBufferSize)
  info.setReadBatchSize(settings.readBatchSize)
  info.setCheckPointAfterMilliseconds(settings.checkpointAfterMs)
  info.setMinCheckPointCount(settings.minCheckpointCount)
  info.setMaxCheckPointCount(settings.maxCheckpointCount)
  info.setReadBufferCount(group.waiting.length)
  info.setLiveBufferCount('0')
  info.setRetryBufferCount(group.urgent.length)
  info.setTotalInFlightMessages(group.inFlight.size)
  info.setOutstandingMessagesCount(group.inFlight.size)
  info.setNamedConsumerStrategy(settings.strategy)
  info.setMaxSubscriberCount(settings.maxSubscriberCount)
  info.setParkedMessageCount(String(runner.parkedCount()))
  info.setCountSinceLastMeasurement('0')
  return info
}

function connectionInfo({ name, capacity, inFlight, totalItems }: Consumer): SubscriptionInfo.ConnectionInfo {
  const info = new persistent.SubscriptionInfo.ConnectionInfo()
  info.setConnectionName(name)
  info.setTotalItems(String(totalItems))
  info.setCountSinceLastMeasurement('0')
  info.setAvailableSlots(capacity - inFlight)
  info.setInFlightMessages(inFlight)
  return info
}
