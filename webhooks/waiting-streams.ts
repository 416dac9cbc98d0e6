/**
 * Events that wait to be delivered to one webhook, in the order of each stream of the log: of a stream one event is under way at a time, and what follows waits for
 * it, while other streams go on. Of a stream that is held up only its place is kept, since the rest of it is in the log.
 */
import type { WaitingStream } from '../domain/ports/webhook-records.ts'
import type { Entry } from '../queries/streams/cloud-event.ts'

/** Streams that may wait, and events of them that are held in memory: what is beyond stays in the log. */
const MAX_STREAMS = 100
const MAX_ENTRIES = 500

/**
 * Events of a stream from a revision on that have been passed in the log: those that the webhook wants, and the last revision looked at. `isAll` when there are no
 * more of them.
 */
export type ReadStream = (stream: string, from: bigint) => Promise<{ entries: readonly Entry[]; last: bigint | undefined; isAll: boolean }>

export type Waiting = {
  readonly stream: string
  /** Of the first event that has not been settled. */
  revision: bigint
  attempts: number
  since: number | null
  dueAt: number
  isBusy: boolean
}

/** `entries` reach up to the revision `read`; `isCut` when the log may have more, and then `told` is the last that was taken. */
type Held = Waiting & { entries: Entry[]; isCut: boolean; read: bigint; told: bigint }

export type WaitingStreams = {
  /** Takes the next event of the log. */
  take(entry: Entry): void
  isFull(): boolean
  size(): number
  /** The one that is due first, of those that are not busy. */
  next(): Waiting | undefined
  /** When that is due. */
  nextDueAt(): number | undefined
  /** The event that the stream waits for; undefined when there is none any more, and the stream is forgotten. @throws Unavailable */
  head(waiting: Waiting): Promise<Entry | undefined>
  /** The event has arrived, or was given up: the next of the stream is due. */
  settle(waiting: Waiting): void
  /** The event has not arrived. */
  postpone(waiting: Waiting, failure: { at: number; dueAt: number }): void
  /** Everything is due. */
  wake(now: number): void
  /** Everything is due, as if it had never failed. */
  restart(): void
  /** For the record. */
  places(): readonly WaitingStream[]
}

export function waitingStreams(places: readonly WaitingStream[], readStream: ReadStream): WaitingStreams {
  const held = new Map<string, Held>()
  let entries = 0

  for (const { stream, revision, attempts, since, dueAt } of places) {
    const at = BigInt(revision)
    held.set(stream, { stream, revision: at, attempts, since, dueAt, isBusy: false, entries: [], isCut: true, read: at - 1n, told: at })
  }
  const drop = (of: Held, count: number) => {
    entries -= of.entries.splice(of.entries.length - count).length
  }
  const next = (): Held | undefined => {
    let first: Held | undefined
    for (const each of held.values()) if (!each.isBusy && (!first || each.dueAt < first.dueAt)) first = each
    return first
  }

  const refill = async (of: Held) => {
    const { told } = of
    const { entries: found, last, isAll } = await readStream(of.stream, of.read + 1n)
    of.entries.push(...found)
    entries += found.length
    of.read = last ?? of.read
    // What was taken while this was read may be missing in it.
    of.isCut = !isAll || of.told > told
  }

  return {
    take(entry) {
      const known = held.get(entry.stream)
      entries += known?.isCut ? 0 : 1
      if (!known) {
        const { stream, revision } = entry
        const none = { attempts: 0, since: null, dueAt: 0, isBusy: false, isCut: false }
        held.set(stream, { stream, revision, ...none, entries: [entry], read: revision, told: revision })
        return
      }
      known.told = entry.revision
      if (known.isCut) return
      known.entries.push(entry)
      known.read = entry.revision
    },
    isFull: () => held.size >= MAX_STREAMS || entries >= MAX_ENTRIES,
    size: () => held.size,
    next,
    nextDueAt: () => next()?.dueAt,
    async head(waiting) {
      const of = waiting as Held
      while (of.entries.length === 0 && of.isCut) await refill(of)
      const [first] = of.entries
      if (first) of.revision = first.revision
      else held.delete(of.stream)
      return first
    },
    settle(waiting) {
      const of = waiting as Held
      const [first] = of.entries.splice(0, 1)
      if (first) entries -= 1
      Object.assign(of, { attempts: 0, since: null, dueAt: 0, revision: of.entries[0]?.revision ?? of.revision + 1n })
      if (of.entries.length === 0 && !of.isCut) held.delete(of.stream)
    },
    postpone(waiting, { at, dueAt }) {
      const of = waiting as Held
      if (of.entries.length > 1) {
        of.isCut = true
        drop(of, of.entries.length - 1)
        of.read = of.revision
      }
      Object.assign(of, { attempts: of.attempts + 1, since: of.since ?? at, dueAt })
    },
    wake(now) {
      for (const each of held.values()) each.dueAt = Math.min(each.dueAt, now)
    },
    restart() {
      for (const each of held.values()) Object.assign(each, { attempts: 0, since: null, dueAt: 0 })
    },
    places: () =>
      [...held.values()].map(({ stream, revision, attempts, since, dueAt }) => ({
        stream,
        revision: String(revision),
        attempts,
        since,
        dueAt,
      })),
  }
}
