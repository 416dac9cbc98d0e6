import { currentEvent } from './event-catalogue.ts'
import { type EventLog, EventUnreadable, type RecordedEvent, type SubscriptionMessage } from './ports/event-log.ts'

/**
 * The log with every event in its current version. Reading a stream with an event that cannot be read fails with EventUnreadable; a subscription
 * and a group go on, and say which events those are. `readAll` gives events as they are stored, because that is what digests and proofs are made of.
 */
export function withCurrentEvents(log: EventLog): EventLog {
  return {
    ...log,
    async *readStream(stream, options) {
      for await (const event of log.readStream(stream, options)) yield currentEvent(event)
    },
    async *subscribe(options) {
      for await (const batch of log.subscribe(options)) yield batch.map(currentMessage)
    },
    async *consume(options) {
      for await (const delivery of log.consume(options)) yield { ...delivery, ...attempted(delivery.event) }
    },
  }
}

/** The message with its event in the current version, or that it cannot be read. */
export function currentMessage(message: SubscriptionMessage): SubscriptionMessage {
  if (message.kind !== 'event') return message
  const { event, unreadable } = attempted(message.event)
  if (unreadable) return { kind: 'unreadable', event, error: unreadable }
  return event === message.event ? message : { kind: 'event', event }
}

function attempted(event: RecordedEvent): { event: RecordedEvent; unreadable?: EventUnreadable } {
  try {
    return { event: currentEvent(event) }
  } catch (error) {
    if (error instanceof EventUnreadable) return { event, unreadable: error }
    throw error
  }
}
