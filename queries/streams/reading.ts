/** One reader's way through the log: by itself while it is behind, then with all others. */
import type { EventLog, SubscriptionMessage } from '../../domain/ports/event-log.ts'
import type { Joined } from './broadcast.ts'
import type { Entry } from './cloud-event.ts'
import { BEGINNING } from './cursor.ts'

/** Entries that are looked at in one go. */
const BATCH = 64

/** Either there is something for the reader, or it is told that everything up to `through` has been considered. */
export type Read = { kind: 'entries'; entries: readonly Entry[] } | { kind: 'heartbeat'; through: bigint }

export type ReadingOptions = {
  log: Pick<EventLog, 'subscribe'>
  prefixes: readonly string[]
  joined: Pick<Joined, 'head' | 'after' | 'news'>
  entriesOf(messages: readonly SubscriptionMessage[]): Promise<readonly Entry[]>
  /** Exclusive. */
  from: bigint
  wanted(entry: Entry): boolean
  /** Without it the reading ends, with a heartbeat, at what the log held when it began. */
  follow: boolean
  heartbeatMs: number
  signal: AbortSignal
}

/**
 * Nothing is read ahead: what is not asked for stays in the ring, or in the log. Ends when the signal aborts.
 * @throws Unavailable when the log is lost while the reader is behind
 */
export async function* reading(options: ReadingOptions): AsyncGenerator<Read> {
  const { log, prefixes, joined, entriesOf, wanted, follow, heartbeatMs, signal } = options
  const end = follow ? undefined : joined.head()
  let at = options.from
  let said = Date.now()

  const ended = () => signal.aborted || (end !== undefined && at >= end)

  function* through(entries: readonly Entry[]): Generator<Read> {
    const fresh = entries.filter(({ position }) => position > at && (end === undefined || position <= end))
    at = fresh.at(-1)?.position ?? at
    const found = fresh.filter(wanted)
    if (found.length === 0 && Date.now() - said < heartbeatMs) return
    said = Date.now()
    yield found.length > 0 ? { kind: 'entries', entries: found } : { kind: 'heartbeat', through: at }
  }

  while (!ended()) {
    const shared = joined.after(at, BATCH)
    if (shared && shared.length > 0) {
      yield* through(shared)
      continue
    }
    if (shared) {
      await joined.news(Math.max(0, said + heartbeatMs - Date.now()), signal)
      if (!signal.aborted) yield* through([])
      continue
    }
    const after = at === BEGINNING ? undefined : at
    for await (const messages of log.subscribe({ after, prefixes, signal, maxBatch: BATCH })) {
      yield* through(await entriesOf(messages))
      if (ended() || joined.after(at, 0)) break
    }
  }
  if (!follow && !signal.aborted) yield { kind: 'heartbeat', through: at }
}
