import { setTimeout as delay } from 'node:timers/promises'
import {
  type Delivery,
  type EventLog,
  type EventUnreadable,
  type RecordedEvent,
  Unavailable,
  WrongExpectedRevision,
} from '../../domain/ports/event-log.ts'
import { InOtherHands, type Process, type Waiting } from './process.ts'
import { createQueue } from './queue.ts'

export type ConsumerOptions = {
  log: EventLog
  signal: AbortSignal
  onFailure(failure: { process: string; stream?: string; parked?: boolean }, error: unknown): void
  /** Told how many events wait and how many are worked on, whenever that changes. */
  onLoad?(load: Load): void
}

export type Load = { waiting: number; running: number }

/** What of an event is kept, and what its last delivery is answered with. */
type Held = { event: RecordedEvent; unreadable: EventUnreadable | undefined; answers: Pick<Delivery, 'ack' | 'retry' | 'park'> }

const IN_THEIR_ORDER: Waiting = { capacity: 240, turnOf: () => 0, keep: (event) => event }

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 5_000
/** A delivery is kept this long while what it needs is unavailable, then handed back; well within the time that the store allows for it. */
const HOLD_MS = 30_000
/** Failures of its own that an event may cause before it is put aside for a person to look at. */
const OWN_FAILURES = 3
const STOP_WITHIN_MS = 5_000
const MAX_REASON = 500

/** Runs a process until the signal aborts; joins its group again whenever the subscription breaks. */
export async function runConsumer(process: Process, options: ConsumerOptions): Promise<void> {
  const { log, signal, onFailure, onLoad = () => {} } = options
  const { capacity, turnOf, keep } = process.waiting ?? IN_THEIR_ORDER
  const waiting = createQueue<Held>()
  const running = new Set<Promise<void>>()
  /** By the ids of their events. */
  const held = new Map<string, Held>()
  /** The last reaction under way for a stream: one at a time. */
  const streams = new Map<string, Promise<void>>()
  let wake = () => {}
  const wakened = () => wake()
  signal.addEventListener('abort', wakened)

  const take = ({ event, unreadable, ack, retry, park }: Delivery): void => {
    const answers = { ack, retry, park }
    const known = held.get(event.id)
    // It comes again when it has waited too long for the store, or when the connection was lost: the last delivery is the one to answer.
    if (known) {
      known.answers = answers
      return
    }
    const taken: Held = { event: unreadable ? event : keep(event), unreadable, answers }
    held.set(event.id, taken)
    waiting.push(taken, unreadable ? 0 : turnOf(event))
    startNext()
  }

  const room = async (): Promise<void> => {
    while (waiting.size > capacity && !signal.aborted) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }

  const startNext = (): void => {
    while (running.size < process.concurrency && !signal.aborted) {
      const next = waiting.shift()
      if (!next) break
      start(next)
    }
    onLoad({ waiting: waiting.size, running: running.size })
    wake()
  }

  const start = (taken: Held): void => {
    const { stream, id } = taken.event
    // Forgotten before it is answered: a delivery that comes after the answer is a new one.
    const answer = () => {
      held.delete(id)
      return taken.answers
    }
    const before = streams.get(stream)
    const work = (async () => {
      await before
      await deal(process, taken, answer, options)
    })()
    const tracked = work.catch(ignore).finally(() => {
      running.delete(tracked)
      if (streams.get(stream) === tracked) streams.delete(stream)
      startNext()
    })
    running.add(tracked)
    streams.set(stream, tracked)
  }

  for (let broken = 0; !signal.aborted; broken++) {
    try {
      const buffer = capacity + process.concurrency
      for await (const delivery of log.consume({ group: process.name, types: process.reactsTo, signal, buffer })) {
        broken = 0
        // The store tells types by how they begin, and an older group still has the selection it was made with.
        if (!process.reactsTo.includes(delivery.event.type)) {
          void delivery.ack().catch(ignore)
          continue
        }
        take(delivery)
        await room()
      }
    } catch (error) {
      if (!signal.aborted) onFailure({ process: process.name }, error)
    }
    await pause(waitAfter(broken), signal)
  }
  signal.removeEventListener('abort', wakened)
  await Promise.race([Promise.all(running), delay(STOP_WITHIN_MS, undefined, { ref: false })])
}

/** Reacts to an event, and says what becomes of its delivery. One that is not answered at all comes again, to whoever is left. */
async function deal(
  process: Process,
  { event, unreadable }: Held,
  answer: () => Held['answers'],
  { signal, onFailure }: ConsumerOptions,
): Promise<void> {
  if (unreadable) {
    onFailure({ process: process.name, stream: event.stream, parked: true }, unreadable)
    return answer().park(unreadable.message.slice(0, MAX_REASON))
  }
  const handBackAt = Date.now() + HOLD_MS
  for (let failures = 1; !signal.aborted; failures++) {
    try {
      await process.react(event)
      return await answer().ack()
    } catch (error) {
      const parked = !isPassing(error) && failures >= OWN_FAILURES
      if (!(error instanceof InOtherHands)) onFailure({ process: process.name, stream: event.stream, parked }, error)
      const reason = (error instanceof Error ? error.message : String(error)).slice(0, MAX_REASON)
      if (parked) return await answer().park(reason)
      const wait = waitAfter(failures)
      if (Date.now() + wait > handBackAt) return await answer().retry(reason)
      await pause(wait, signal)
    }
  }
}

/** Whether it is worth trying again until it works. */
function isPassing(error: unknown): boolean {
  return error instanceof Unavailable || error instanceof WrongExpectedRevision || error instanceof InOtherHands
}

const waitAfter = (failures: number) => Math.min(FIRST_WAIT_MS * 2 ** failures, LONGEST_WAIT_MS)

const pause = (milliseconds: number, signal: AbortSignal) => delay(milliseconds, undefined, { signal }).catch(ignore)

/** The store delivers again what it was not answered for. */
const ignore = () => {}
