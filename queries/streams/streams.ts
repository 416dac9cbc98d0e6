/** All that readers of streams share. */
import type { EventLog, JsonObject, RecordedEvent, SubscriptionMessage } from '../../domain/ports/event-log.ts'
import { Problem } from '../../http/problem.ts'
import { type Broadcast, createBroadcast } from './broadcast.ts'
import { type Entry, EVERY_EVENT, entryOf, type StreamedProjection } from './cloud-event.ts'
import { type LogOrigin, logOrigin } from './cursor.ts'

/** Some minutes of a busy log; who falls behind further reads by itself. */
const RING = { entries: 4_096, characters: 16 * 1024 * 1024 }

const LIMITS = { readers: 100, heartbeatMs: 15_000, stalledMs: 30_000, ring: RING }

export type Streamed = {
  /** Events in their current version. */
  log: Pick<EventLog, 'subscribe' | 'lastPosition' | 'readAll'>
  /** Streams of the log that the events are in. */
  prefixes: readonly string[]
  projections: readonly StreamedProjection[]
  shown(event: RecordedEvent): JsonObject
  limits?: Partial<typeof LIMITS>
}

export type OpenStream = { buffered(): number }

export type Streams = {
  readonly log: Streamed['log']
  readonly prefixes: readonly string[]
  readonly limits: typeof LIMITS
  readonly origin: LogOrigin
  readonly broadcast: Broadcast
  /** Readers at work. */
  readonly open: ReadonlySet<OpenStream>
  has(name: string): boolean
  entriesOf(messages: readonly SubscriptionMessage[]): Promise<readonly Entry[]>
  /** @throws Problem `too_many_readers` when there is no place for another one */
  admit(reader: OpenStream): void
  dismiss(reader: OpenStream): void
  /** How many readers were cut off since the start. */
  cut(): number
  noteCut(): void
  close(): void
}

export function openStreams({ log, prefixes, projections, shown, limits: given = {} }: Streamed): Streams {
  const limits = { ...LIMITS, ...given }
  const origin = logOrigin(log)
  const open = new Set<OpenStream>()
  let cut = 0

  const broadcast = createBroadcast({ log, prefixes, bounds: limits.ring, entriesOf })

  async function entriesOf(messages: readonly SubscriptionMessage[]): Promise<readonly Entry[]> {
    const events = messages.filter((message) => message.kind === 'event' || message.kind === 'unreadable')
    if (events.length === 0) return []
    const known = await origin.known()
    if (known === undefined) return []
    return events.map(({ kind, event }) => entryOf(event, { origin: known, projections, shown, unreadable: kind === 'unreadable' }))
  }

  return {
    log,
    prefixes,
    limits,
    origin,
    broadcast,
    open,
    has: (name) => name === EVERY_EVENT || projections.some((projection) => projection.name === name),
    entriesOf,
    admit(reader) {
      if (open.size >= limits.readers)
        throw new Problem('too_many_readers', `${limits.readers} are at work`, { headers: { 'Retry-After': '5' } })
      open.add(reader)
    },
    dismiss: (reader) => void open.delete(reader),
    cut: () => cut,
    noteCut() {
      cut += 1
    },
    close: broadcast.close,
  }
}
