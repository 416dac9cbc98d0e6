import { type AllStreamResolvedEvent, type EventStoreDBClient, START, streamNameFilter } from '@eventstore/db-client'
import { type SubscriptionMessage, Unavailable } from '../../domain/ports/event-log.ts'
import { asDomainError } from './errors.ts'
import { pull } from './pull.ts'
import { toRecordedEvent } from './recorded-event.ts'

/** The server sends a checkpoint after this many windows of 32 considered events. */
const CHECKPOINT_INTERVAL = 8

/** A live subscription to the log of all streams, filtered by the server. */
export async function* subscribeToAll(
  client: EventStoreDBClient,
  { after, prefixes, signal }: { after?: bigint | undefined; prefixes: readonly string[]; signal: AbortSignal },
): AsyncGenerator<SubscriptionMessage> {
  const pending: SubscriptionMessage[] = []
  let wake = () => {}
  const said = (message: SubscriptionMessage) => {
    pending.push(message)
    wake()
  }
  const subscription = client.subscribeToAll({
    fromPosition: after === undefined ? START : { commit: after, prepare: after },
    filter: streamNameFilter({
      prefixes: [...prefixes],
      checkpointInterval: CHECKPOINT_INTERVAL,
      checkpointReached: (_, { commit }) => said({ kind: 'checkpoint', position: commit }),
    }),
  })
  subscription.on('caughtUp', () => said({ kind: 'caughtUp' }))
  const side = {
    take: () => pending.shift(),
    onArrival: (listener: () => void) => {
      wake = listener
    },
  }
  try {
    for await (const next of pull<AllStreamResolvedEvent, SubscriptionMessage>(subscription, side, signal)) {
      if ('side' in next) yield next.side
      else if (next.item.event) yield { kind: 'event', event: toRecordedEvent(next.item.event) }
    }
  } catch (error) {
    throw lost(error)
  } finally {
    void subscription.unsubscribe().catch(() => {})
  }
}

/** Whatever ends a subscription that was not asked to end, the answer is to subscribe again. */
export function lost(error: unknown): unknown {
  const known = asDomainError(error)
  return known instanceof Unavailable ? known : new Unavailable('eventstore', { cause: known })
}
