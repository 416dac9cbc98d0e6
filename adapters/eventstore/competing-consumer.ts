import {
  ErrorType,
  type EventStoreDBClient,
  eventTypeFilter,
  type PersistentSubscriptionToAllResolvedEvent,
  persistentSubscriptionToAllSettingsFromDefaults,
  START,
  streamNameFilter,
} from '@eventstore/db-client'
import type { Delivery, EventLog, Selection } from '../../domain/ports/event-log.ts'
import { lost } from './catch-up.ts'
import { asDomainError, isType } from './errors.ts'
import { ready } from './ready.ts'
import { toRecordedEvent } from './recorded-event.ts'

/** Most deliveries that one consumer holds unanswered. */
const BUFFER = 256

/**
 * How long a consumer may keep a delivery before another one gets it. A consumer that dies is noticed at once by its connection;
 * this is for one that hangs, and must be longer than the longest ceremony.
 */
const MESSAGE_TIMEOUT_MS = 180_000
/** The store itself never gives an event up: who consumes knows which one is hopeless, and parks it. */
const MAX_RETRIES = 2 ** 31 - 1

export type ConsumeOptions = Parameters<EventLog['consume']>[0] & { deadlineMs: number; silenceMs: number }

/** Joins a persistent subscription to the log of all streams, made on first use, on a client of its own. */
export async function* consumeGroup(
  client: EventStoreDBClient,
  { group, signal, deadlineMs, silenceMs, buffer = BUFFER, ...selection }: ConsumeOptions,
): AsyncGenerator<Delivery> {
  await createGroup(client, group, selection)
  const subscription = client.subscribeToPersistentSubscriptionToAll(group, { bufferSize: buffer })
  /** A group tells whom it hands events to. */
  const stillThere = async () => {
    const { connections } = await client.getPersistentSubscriptionToAllInfo(group, { deadline: deadlineMs })
    if (!connections.some(({ connectionName }) => connectionName === client.connectionName))
      throw new Error(`the group ${group} does not know this consumer any more`)
  }
  try {
    const batches = ready<PersistentSubscriptionToAllResolvedEvent>(subscription, { signal, limit: BUFFER, silenceMs, stillThere })
    for await (const items of batches) {
      for (const resolved of items) {
        if (signal.aborted) return
        if (!resolved.event) {
          await subscription.ack(resolved)
          continue
        }
        const { event, retryCount } = resolved
        // Answers need its id alone, and a delivery may wait long: what else it holds is the consumer's to keep or not.
        const answered = { event: { id: event.id } } as typeof resolved
        yield {
          event: toRecordedEvent(event),
          retryCount,
          ack: () => subscription.ack(answered),
          retry: (reason) => subscription.nack('retry', reason, answered),
          park: (reason) => subscription.nack('park', reason, answered),
        }
      }
    }
  } catch (error) {
    throw lost(error)
  } finally {
    void subscription.unsubscribe().catch(() => {})
  }
}

async function createGroup(client: EventStoreDBClient, group: string, selection: Selection): Promise<void> {
  try {
    await client.createPersistentSubscriptionToAll(
      group,
      persistentSubscriptionToAllSettingsFromDefaults({
        startFrom: START,
        messageTimeout: MESSAGE_TIMEOUT_MS,
        maxRetryCount: MAX_RETRIES,
        checkPointAfter: 1000,
        checkPointLowerBound: 1,
        checkPointUpperBound: 1000,
      }),
      { filter: filterOf(selection) },
    )
  } catch (error) {
    if (!isType(error, ErrorType.PERSISTENT_SUBSCRIPTION_EXISTS)) throw asDomainError(error)
  }
}

function filterOf(selection: Selection) {
  return 'types' in selection
    ? eventTypeFilter({ prefixes: [...selection.types] })
    : streamNameFilter({ prefixes: [...selection.prefixes] })
}
