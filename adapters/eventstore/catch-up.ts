import { setTimeout as delay } from 'node:timers/promises'
import type { EventStoreDBClient } from '@eventstore/db-client'
import { type EventLog, type SubscriptionMessage, Unavailable } from '../../domain/ports/event-log.ts'
import { asDomainError } from './errors.ts'
import { openRead } from './read-call.ts'
import type { ReadResponse } from './read-response.ts'
import { ready } from './ready.ts'

/** The server sends a checkpoint after this many windows of 32 considered events. */
const CHECKPOINT_INTERVAL = 8
const CHECKPOINT_EVERY = 32 * CHECKPOINT_INTERVAL
/** When so many of the newest events are unheard of, a checkpoint must be among what was missed. */
const LOOK_BACK = CHECKPOINT_EVERY + 100

const MAX_BATCH = 500

export type CatchUpOptions = Parameters<EventLog['subscribe']>[0] & {
  /** Positions and streams of the newest events of the log, at most `count`, newest first. */
  newest(count: number): Promise<readonly { position: bigint; stream: string }[]>
  silenceMs: number
}

/** A live subscription to the log of all streams, filtered by the server, on a client of its own. */
export async function* subscribeToAll(
  client: EventStoreDBClient,
  { after, prefixes, signal, newest, maxBatch = MAX_BATCH, silenceMs }: CatchUpOptions,
): AsyncGenerator<readonly SubscriptionMessage[]> {
  let heard = after ?? -1n

  /**
   * A subscription that is alive hears of every event of its streams, and of a checkpoint at least every CHECKPOINT_EVERY events. What is missing
   * may still be on its way: when it arrives, this is not waited for any more.
   */
  const stillThere = async () => {
    const unheard = (await newest(LOOK_BACK)).filter(({ position }) => position > heard)
    const missed = unheard.some(({ stream }) => prefixes.some((prefix) => stream.startsWith(prefix)))
    if (!missed && unheard.length < LOOK_BACK) return
    await delay(silenceMs, undefined, { signal })
    throw new Error('the subscription has fallen silent')
  }

  const opening = openRead(client, { from: after, prefixes, checkpointInterval: CHECKPOINT_INTERVAL })
  try {
    for await (const responses of ready<ReadResponse>(opening, { signal, limit: maxBatch, silenceMs, stillThere })) {
      const said = responses.filter(isMessage)
      for (const message of said) heard = positionOf(message) ?? heard
      if (said.length > 0) yield said
    }
  } catch (error) {
    throw lost(error)
  } finally {
    opening.then((call) => call.cancel()).catch(() => {})
  }
}

const isMessage = (response: ReadResponse): response is Exclude<SubscriptionMessage, { kind: 'unreadable' }> => response.kind !== 'other'

function positionOf(message: SubscriptionMessage): bigint | undefined {
  if (message.kind === 'caughtUp') return undefined
  return message.kind === 'checkpoint' ? message.position : message.event.position
}

/** Whatever ends a subscription that was not asked to end, the answer is to subscribe again. */
export function lost(error: unknown): unknown {
  const known = asDomainError(error)
  return known instanceof Unavailable ? known : new Unavailable('eventstore', { cause: known })
}
