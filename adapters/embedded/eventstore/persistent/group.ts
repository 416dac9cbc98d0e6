import type { RecordedEvent } from '../log/event.ts'
import type { ResolvedEvent } from '../streams/read.ts'
import { type Consumer, isFull, type Message } from './consumer.ts'
import type { GroupSettings } from './settings.ts'
import { chooseConsumer } from './strategy.ts'

export type Delivery = { consumer: Consumer; message: Message }

type InFlight = Delivery & { deadline: number }

/**
 * A group of competing consumers: which messages wait, which are under way to whom, which are being parked. It changes by the functions
 * below alone, which neither read nor write nor look at a clock. Times are in milliseconds.
 */
export type Group = {
  settings: GroupSettings
  consumers: Consumer[]
  /** To be delivered before all others, in the order of their keys: retries and replayed messages. */
  urgent: Message[]
  waiting: Message[]
  inFlight: Map<string, InFlight>
  parking: Set<Message>
  totalItems: number
}

export function createGroup(settings: GroupSettings): Group {
  return { settings, consumers: [], urgent: [], waiting: [], inFlight: new Map(), parking: new Set(), totalItems: 0 }
}

export function messageOf(resolved: ResolvedEvent, from: { key: number } | { parkedRevision: number }): Message {
  const { id } = (resolved.link ?? resolved.event) as RecordedEvent
  return { id, resolved, key: undefined, parkedRevision: undefined, ...from, retryCount: 0 }
}

/** Hands out what waits, as far as the consumers' buffers allow, but at most `limit` messages. */
export function dispatch(group: Group, now: number, limit: number): Delivery[] {
  const deliveries: Delivery[] = []
  const { messageTimeoutMs, strategy } = group.settings
  const handOut = (messages: Message[]): Message[] => {
    const left: Message[] = []
    for (const [index, message] of messages.entries()) {
      if (deliveries.length === limit || group.consumers.every(isFull)) return [...left, ...messages.slice(index)]
      // Two events may have one id; the second one waits until the first is answered.
      const consumer = group.inFlight.has(message.id) ? undefined : chooseConsumer(strategy, group.consumers, message)
      if (!consumer) {
        left.push(message)
        continue
      }
      consumer.inFlight += 1
      consumer.totalItems += 1
      group.totalItems += 1
      const deadline = messageTimeoutMs > 0 ? now + messageTimeoutMs : Number.POSITIVE_INFINITY
      group.inFlight.set(message.id, { consumer, message, deadline })
      deliveries.push({ consumer, message })
      // The next in turn is at the front.
      if (strategy === 'RoundRobin') group.consumers.push(...group.consumers.splice(group.consumers.indexOf(consumer), 1))
    }
    return left
  }
  group.urgent = handOut(group.urgent)
  group.waiting = handOut(group.waiting)
  return deliveries
}

/** Takes messages back from a consumer, because it has answered. Ids that it was not given are ignored. */
export function answered(group: Group, consumer: Consumer, ids: readonly string[]): Message[] {
  return ids.flatMap((id) => {
    const entry = group.inFlight.get(id)
    if (entry?.consumer !== consumer) return []
    release(group, entry)
    return [entry.message]
  })
}

/** Delivers messages again; those that were delivered often enough are to be parked, and are returned. */
export function retry(group: Group, messages: readonly Message[]): Message[] {
  const exhausted = messages.filter(({ retryCount }) => retryCount >= group.settings.maxRetryCount)
  const again = messages
    .filter((message) => !exhausted.includes(message))
    .map((message) => ({ ...message, retryCount: message.retryCount + 1 }))
  urge(group, again)
  park(group, exhausted)
  return exhausted
}

/** Puts messages before all that wait. */
export function urge(group: Group, messages: readonly Message[]): void {
  group.urgent = [...group.urgent, ...messages].sort((a, b) => orderOf(a) - orderOf(b))
}

const orderOf = ({ key }: Message): number => key ?? Number.NEGATIVE_INFINITY

/** They count as unanswered until `parked`. */
export function park(group: Group, messages: readonly Message[]): void {
  for (const message of messages) group.parking.add(message)
}

export function parked(group: Group, message: Message): void {
  group.parking.delete(message)
}

/** Takes back what was not answered in time. */
export function expired(group: Group, now: number): Message[] {
  const late = [...group.inFlight.values()].filter(({ deadline }) => deadline <= now)
  for (const entry of late) release(group, entry)
  return late.map(({ message }) => message)
}

/** Removes a consumer; what it had not answered is returned. */
export function leave(group: Group, consumer: Consumer): Message[] {
  group.consumers = group.consumers.filter((other) => other !== consumer)
  const held = [...group.inFlight.values()].filter((entry) => entry.consumer === consumer)
  for (const entry of held) release(group, entry)
  return held.map(({ message }) => message)
}

function release(group: Group, { message, consumer }: InFlight): void {
  group.inFlight.delete(message.id)
  consumer.inFlight -= 1
}

/** Everything that no consumer has settled. */
export function outstanding(group: Group): Message[] {
  return [...group.urgent, ...group.waiting, ...[...group.inFlight.values()].map(({ message }) => message), ...group.parking]
}

/** Up to where everything is settled, when `last` is the last one taken from the source. */
export function settledUpTo(group: Group, last: number): number {
  return outstanding(group).reduce((least, { key }) => (key === undefined ? least : Math.min(least, key - 1)), last)
}

/** The same of replayed messages, in the stream of parked ones. */
export function replayedUpTo(group: Group, last: number): number {
  return outstanding(group).reduce(
    (least, { parkedRevision }) => (parkedRevision === undefined ? least : Math.min(least, parkedRevision - 1)),
    last,
  )
}
