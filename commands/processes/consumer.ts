import { setTimeout as delay } from 'node:timers/promises'
import { type Delivery, type EventLog, Unavailable, WrongExpectedRevision } from '../../domain/ports/event-log.ts'
import { InOtherHands, type Process } from './process.ts'

export type ConsumerOptions = {
  log: EventLog
  signal: AbortSignal
  onFailure(failure: { process: string; stream?: string; parked?: boolean }, error: unknown): void
}

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
  const { log, signal, onFailure } = options
  const running = new Set<Promise<void>>()
  /** The last reaction under way for a stream: one at a time. */
  const streams = new Map<string, Promise<void>>()

  const start = (delivery: Delivery): void => {
    const { stream } = delivery.event
    const before = streams.get(stream)
    const work = (async () => {
      await before
      await deal(process, delivery, options)
    })()
    const tracked = work.catch(ignore).finally(() => {
      running.delete(tracked)
      if (streams.get(stream) === tracked) streams.delete(stream)
    })
    running.add(tracked)
    streams.set(stream, tracked)
  }

  for (let broken = 0; !signal.aborted; broken++) {
    try {
      for await (const delivery of log.consume({ group: process.name, types: process.reactsTo, signal })) {
        broken = 0
        // The store tells types by how they begin, and an older group still has the selection it was made with.
        if (!process.reactsTo.includes(delivery.event.type)) {
          void delivery.ack().catch(ignore)
          continue
        }
        while (running.size >= process.concurrency) await Promise.race(running)
        start(delivery)
      }
    } catch (error) {
      if (!signal.aborted) onFailure({ process: process.name }, error)
    }
    await pause(waitAfter(broken), signal)
  }
  await Promise.race([Promise.all(running), delay(STOP_WITHIN_MS, undefined, { ref: false })])
}

/** Reacts to an event, and says what becomes of its delivery. One that is not answered at all comes again, to whoever is left. */
async function deal(process: Process, delivery: Delivery, { signal, onFailure }: ConsumerOptions): Promise<void> {
  const { event } = delivery
  if (delivery.unreadable) {
    onFailure({ process: process.name, stream: event.stream, parked: true }, delivery.unreadable)
    return delivery.park(delivery.unreadable.message.slice(0, MAX_REASON))
  }
  const handBackAt = Date.now() + HOLD_MS
  for (let failures = 1; !signal.aborted; failures++) {
    try {
      await process.react(event)
      return await delivery.ack()
    } catch (error) {
      const parked = !isPassing(error) && failures >= OWN_FAILURES
      if (!(error instanceof InOtherHands)) onFailure({ process: process.name, stream: event.stream, parked }, error)
      const reason = (error instanceof Error ? error.message : String(error)).slice(0, MAX_REASON)
      if (parked) return await delivery.park(reason)
      const wait = waitAfter(failures)
      if (Date.now() + wait > handBackAt) return await delivery.retry(reason)
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
