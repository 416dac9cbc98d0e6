import { setTimeout as delay } from 'node:timers/promises'
import type { EventLog, RecordedEvent } from '../../domain/ports/event-log.ts'

export type RepeatedWork = { signal: AbortSignal; onFailure(error: unknown): void }

/** Reads streams for as long as it lives, to know what in them has begun and not ended. */
export type MarkedReading = RepeatedWork & {
  log: EventLog
  prefixes: readonly string[]
  /** Name of the mark, in the store's place for snapshots. */
  mark: string
  /** Is given each event; `after` is the position of what was read before it. */
  note(event: RecordedEvent, after: bigint | undefined): void
  /** Everything that is in the log has been noted, for the first time or again. */
  caughtUp?(): void
  /** What has begun first of all that has not ended: from there it is to be read again. Undefined when everything has ended. */
  oldest(): { after: bigint | undefined } | undefined
  /** Whether no more can be kept in mind: it is read no further until something has ended, so that nothing is missed. */
  isFull(): boolean
  markEveryMs?: number
}

const MARK_VERSION = 1
const MARK_EVERY_MS = 60_000
const RETRY_AFTER_MS = 1_000
const LOOK_EVERY_MS = 500

/** Positions in the log: everything up to `read` has been read, and up to `marked` the mark says so. */
type Place = { read: bigint | undefined; marked: bigint | undefined }

/** Now and then it marks up to where everything has ended, and after a restart it reads on from there. */
export async function readMarked(reading: MarkedReading): Promise<void> {
  const place: Place = { read: undefined, marked: undefined }
  const following = repeated(reading, RETRY_AFTER_MS, () => follow(reading, place))
  const marking = repeated(reading, reading.markEveryMs ?? MARK_EVERY_MS, () => mark(reading, place))
  await Promise.all([following, marking])
}

/** Does it again and again until the signal aborts, whatever comes of it. */
export async function repeated({ signal, onFailure }: RepeatedWork, everyMs: number, work: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    try {
      await work()
    } catch (error) {
      if (!signal.aborted) onFailure(error)
    }
    await delay(everyMs, undefined, { signal }).catch(() => {})
  }
}

async function follow(reading: MarkedReading, place: Place): Promise<void> {
  const { log, signal, prefixes, note, caughtUp, isFull } = reading
  if (place.read === undefined) place.read = place.marked = markedPosition(await log.readSnapshot(reading.mark))
  for await (const batch of log.subscribe({ after: place.read, prefixes, signal })) {
    for (const message of batch) {
      if (message.kind === 'event') note(message.event, place.read)
      if (message.kind === 'event' || message.kind === 'unreadable') place.read = message.event.position
      else if (message.kind === 'checkpoint') place.read = message.position
      else if (message.kind === 'caughtUp') caughtUp?.()
    }
    while (isFull() && !signal.aborted) await delay(LOOK_EVERY_MS, undefined, { signal })
  }
}

async function mark({ log, mark: name, oldest }: MarkedReading, place: Place): Promise<void> {
  const open = oldest()
  const position = open ? open.after : place.read
  if (position === undefined || (place.marked !== undefined && position <= place.marked)) return
  await log.writeSnapshot(name, { version: MARK_VERSION, position: String(position) })
  place.marked = position
}

/** Undefined when there is no mark, or none that this version understands: everything is read. */
function markedPosition(mark: unknown): bigint | undefined {
  if (typeof mark !== 'object' || mark === null) return undefined
  const { version, position } = mark as { version?: unknown; position?: unknown }
  return version === MARK_VERSION && typeof position === 'string' && /^\d+$/.test(position) ? BigInt(position) : undefined
}
