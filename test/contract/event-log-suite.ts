import { randomUUID } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import type { EventLog, NewEvent, RecordedEvent, SubscriptionMessage } from '../../domain/ports/event-log.ts'

/** A server under test. */
export type EventLogServer = {
  url: string
  /** Its data outlive it. Absent where it is not ours to stop. */
  outage?: { stop(): Promise<void>; start(): Promise<void> }
  close(): Promise<void>
}

/** What the parts of the suite declare their tests with. */
export type Suite = {
  define(title: string, body: (t: ExecutionContext) => Promise<void>): void
  /** A test that stops the server. */
  defineOutage(title: string, body: (t: ExecutionContext, outage: NonNullable<EventLogServer['outage']>) => Promise<void>): void
  log(): EventLog
  /** Another log on the same server, for the test to close. */
  connect(): EventLog
  url(): string
}

const WITHIN_MS = 20_000

export const freshStream = () => `contract-${randomUUID()}`

export function event(type = 'Happened', data: object = { at: 1 }): NewEvent {
  const commandId = randomUUID()
  const metadata = {
    commandId,
    correlationId: commandId,
    causationId: commandId,
    actor: 'contract',
    tenant: 'acme',
    occurredAt: new Date().toISOString(),
    schemaVersion: 1,
  }
  return { id: randomUUID(), type, data, metadata }
}

export const events = (count: number, type?: string): NewEvent[] => Array.from({ length: count }, () => event(type))

export const ids = (items: readonly { id: string }[]): string[] => items.map(({ id }) => id)

export const eventsIn = (messages: readonly SubscriptionMessage[]): RecordedEvent[] =>
  messages.flatMap((message) => (message.kind === 'event' ? [message.event] : []))

export const isInOrder = (items: readonly { position: bigint }[]): boolean =>
  items.every(({ position }, index) => index === 0 || position > items[index - 1]!.position)

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = []
  for await (const item of items) collected.push(item)
  return collected
}

/** What a subscription says until `enough` holds for all of it. */
export async function hear(
  batches: AsyncIterable<readonly SubscriptionMessage[]>,
  enough: (messages: readonly SubscriptionMessage[]) => boolean,
): Promise<SubscriptionMessage[]> {
  const messages: SubscriptionMessage[] = []
  const hearing = async () => {
    for await (const batch of batches) {
      messages.push(...batch)
      if (enough(messages)) return
    }
  }
  await within(hearing())
  return messages
}

export function within<T>(promise: Promise<T>, milliseconds = WITHIN_MS): Promise<T> {
  let timer: NodeJS.Timeout
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing within ${milliseconds} ms`)), milliseconds)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
