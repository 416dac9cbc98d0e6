/** How far the read model has come, heard from the change feed of its projection instead of asked of the database. */
import type { Documents } from '../domain/ports/documents.ts'
import type { Messages } from '../domain/ports/messages.ts'

/** Silence after which a waiting reader looks for itself: messages of the feed can be lost. */
const SILENCE_MS = 250
/** A wait for a change ends after this long in any case, for a single lost message leaves no silence behind. */
const LONGEST_WAIT_FOR_CHANGE_MS = 2_000
const MAX_REMEMBERED_KEYS = 10_000

type Wait = { timeoutMs: number; signal: AbortSignal }

export interface Freshness {
  /** The read model holds every event up to this one; undefined until that is known. */
  position(): bigint | undefined

  /** The event at the position is known to be in the log: until the read model has it, a missing document may be on its way. */
  expect(position: bigint): void

  /** The highest position expected, or once reached, while the read model is not there: it lags behind, or is being built anew. */
  awaited(): bigint | undefined

  /** Whether the read model still is where it was heard to be: its store may have lost it since. @throws Unavailable */
  confirm(): Promise<boolean>

  /** Resolves with whether the read model reached the position within the time. */
  reached(position: bigint, wait: Wait): Promise<boolean>

  /**
   * Waits for a change of the document with this id after the position. Resolves with the change's own position, from which to wait on;
   * without one when it is only worth a look, be it that the time is up.
   */
  changed(key: string, after: bigint, wait: Wait): Promise<bigint | undefined>

  close(): void
}

/** Follows `quorate.projection.<projection>` (the position after each batch) and `quorate.projection.<projection>.<key>` (one document written). */
export async function followProjection({
  projection,
  checkpoint,
  messages,
  documents,
}: {
  projection: string
  /** Name under which the projection keeps its checkpoint. */
  checkpoint: string
  messages: Pick<Messages, 'subscribe'>
  documents: Pick<Documents, 'readCheckpoint'>
}): Promise<Freshness> {
  const subject = `quorate.projection.${projection}`
  const lastChange = new Map<string, bigint>()
  const waitingForPosition = new Set<{ position: bigint; wake(): void }>()
  const waitingForChange = new Map<string, Set<() => void>>()
  let known: bigint | undefined
  let expected: bigint | undefined
  let heard = 0
  let heardAt = Date.now()
  let watch: NodeJS.Timeout | undefined

  const expect = (position: bigint) => {
    if (expected === undefined || position > expected) expected = position
  }

  const advance = (position: bigint) => {
    known = position
    // What was there once is expected to be there again.
    if (position >= 0n) expect(position)
    for (const waiter of waitingForPosition) if (position >= waiter.position) waiter.wake()
  }

  const wakeAllWaitingForChange = () => {
    for (const waiters of waitingForChange.values()) for (const wake of waiters) wake()
  }

  const hear = (payload: Uint8Array, key: string | undefined) => {
    const position = parsePosition(payload)
    if (position === undefined) return
    heard += 1
    heardAt = Date.now()
    if (key === undefined) {
      advance(position)
      return
    }
    remember(lastChange, key, position)
    for (const wake of waitingForChange.get(key) ?? []) wake()
  }

  /** What was heard meanwhile is newer than what the database said. */
  const look = async () => {
    const before = heard
    const stored = await documents.readCheckpoint(checkpoint)
    if (heard !== before || stored === undefined || stored === known) return
    advance(stored)
    wakeAllWaitingForChange()
  }

  /** Runs only while somebody waits. */
  const keepWatch = () => {
    watch ??= setTimeout(async () => {
      // a database that does not answer is asked again; those who wait have a bound of their own
      if (Date.now() - heardAt >= SILENCE_MS) await look().catch(() => undefined)
      watch = undefined
      if (waitingForPosition.size > 0 || waitingForChange.size > 0) keepWatch()
    }, SILENCE_MS)
  }

  const stops = [
    messages.subscribe(subject, (payload) => hear(payload, undefined)),
    messages.subscribe(`${subject}.*`, (payload, name) => hear(payload, name.slice(subject.length + 1))),
  ]
  // the feed tells the position at the next event, where the database does not answer now
  await look().catch(() => undefined)

  return {
    position: () => known,
    expect,
    awaited: () => (expected === undefined || (known !== undefined && known >= expected) ? undefined : expected),
    confirm: async () => {
      const stored = await documents.readCheckpoint(checkpoint)
      // The checkpoint lags behind what is written, but is never gone, nor before the first event, while documents are there.
      const lost = expected !== undefined && (stored === undefined || stored < 0n)
      if (lost) known = undefined
      return !lost
    },
    reached: async (position, wait) => {
      if (known !== undefined && known >= position) return true
      return pause(wait, (wake) => {
        const waiter = { position, wake }
        waitingForPosition.add(waiter)
        keepWatch()
        return () => waitingForPosition.delete(waiter)
      })
    },
    changed: async (key, after, { timeoutMs, signal }) => {
      const changedAt = () => {
        const last = lastChange.get(key)
        return last !== undefined && last > after ? last : undefined
      }
      if (changedAt() !== undefined) return changedAt()
      await pause({ timeoutMs: Math.min(timeoutMs, LONGEST_WAIT_FOR_CHANGE_MS), signal }, (wake) => {
        const waiters = waitingForChange.get(key) ?? new Set()
        waitingForChange.set(key, waiters.add(wake))
        keepWatch()
        return () => {
          waiters.delete(wake)
          if (waiters.size === 0) waitingForChange.delete(key)
        }
      })
      return changedAt()
    },
    close: () => {
      for (const stop of stops) stop()
      clearTimeout(watch)
    },
  }
}

/** Resolves with true when woken, with false when the time is up or the signal aborts. */
function pause({ timeoutMs, signal }: Wait, enlist: (wake: () => void) => () => void): Promise<boolean> {
  if (signal.aborted || timeoutMs <= 0) return Promise.resolve(false)
  return new Promise((resolve) => {
    const settle = (woken: boolean) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', giveUp)
      leave()
      resolve(woken)
    }
    const giveUp = () => settle(false)
    const timer = setTimeout(giveUp, timeoutMs)
    signal.addEventListener('abort', giveUp, { once: true })
    const leave = enlist(() => settle(true))
  })
}

/** Of `{"position": "123"}`; anything else on the subject is not from the projection. */
function parsePosition(payload: Uint8Array): bigint | undefined {
  try {
    const { position } = JSON.parse(new TextDecoder().decode(payload))
    return typeof position === 'string' && /^\d{1,20}$/.test(position) ? BigInt(position) : undefined
  } catch {
    return undefined
  }
}

/** The keys changed last are at the end. */
function remember(lastChange: Map<string, bigint>, key: string, position: bigint): void {
  lastChange.delete(key)
  const oldest = lastChange.size < MAX_REMEMBERED_KEYS ? undefined : lastChange.keys().next().value
  if (oldest !== undefined) lastChange.delete(oldest)
  lastChange.set(key, position)
}
