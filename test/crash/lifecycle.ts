import { ErrorType, type EventStoreDBClient } from '@eventstore/db-client'
import { errorType, isNoAnswer } from './client-errors.ts'
import { type Content, eventOf, randomContent } from './content.ts'
import type { Ledger } from './ledger.ts'
import type { Random } from './random.ts'

/** What a stream's metadata and deletions make of it. */
type State = {
  /** Reads hide everything before. */
  floor: bigint
  /** A custom value in its metadata; absent after a deletion. */
  note: number | undefined
  tombstoned: boolean
}

/** Streams whose metadata changes, and which are deleted, written again, and tombstoned. One change at a time to each. */
export type Lifecycles = {
  /** Changes streams until the load stops. */
  run(load: { client: EventStoreDBClient; random: Random; stopped(): boolean; acknowledged(): void }): Promise<void>
  /** Reads the newest streams, or all. @throws when one is neither as its last acknowledged change left it, nor as one without an answer would have */
  verify(client: EventStoreDBClient, newest?: number): Promise<void>
}

const FRESH: State = { floor: 0n, note: undefined, tombstoned: false }

export function createLifecycles(ledger: Ledger, prefix: string, lastRevision: (stream: string) => bigint): Lifecycles {
  const streams = new Map<string, { known: State; attempted: State }>()
  let notes = 0
  let generation = 0

  async function change(
    { client, random }: { client: EventStoreDBClient; random: Random },
    stream: string,
    next: bigint,
  ): Promise<'deleted' | 'tombstoned' | undefined> {
    const entry = streams.get(stream)!
    const { known } = entry
    if (random.chance(0.6)) {
      notes += 1
      entry.attempted = { ...known, note: notes, floor: known.floor + BigInt(random.below(Number(next - known.floor))) }
      await client.setStreamMetadata(stream, { truncateBefore: Number(entry.attempted.floor), note: notes })
    } else if (random.chance(0.7)) {
      entry.attempted = { ...known, note: undefined, floor: next }
      await client.deleteStream(stream)
    } else {
      entry.attempted = { ...known, tombstoned: true }
      await client.tombstoneStream(stream)
    }
    const deleted = entry.attempted.floor === next
    entry.known = entry.attempted
    return entry.known.tombstoned ? 'tombstoned' : deleted ? 'deleted' : undefined
  }

  return {
    async run(load) {
      const { client, random, stopped, acknowledged } = load
      generation += 1
      const stream = `${prefix}${generation}`
      streams.set(stream, { known: FRESH, attempted: FRESH })
      let next = 0n
      try {
        while (!stopped()) {
          const events = Array.from({ length: 1 + random.below(4) }, () => randomContent(random)) as [Content, ...Content[]]
          const attempt = ledger.begin(stream, 'any', events)
          ledger.forget(attempt)
          const { nextExpectedRevision, position } = await client.appendToStream(stream, events.map(eventOf))
          attempt.answer = { kind: 'acknowledged', revision: nextExpectedRevision, position: position?.commit }
          next = nextExpectedRevision + 1n
          acknowledged()
          if ((await change(load, stream, next)) === 'tombstoned') return
        }
      } catch (error) {
        if (!isNoAnswer(error)) throw error
      }
    },
    async verify(client, newest = streams.size) {
      for (const [stream, entry] of [...streams].slice(streams.size - Math.min(newest, streams.size))) {
        if (lastRevision(stream) < 0n) continue
        const observed = await observeState(client, stream, lastRevision(stream))
        const matches = [entry.known, entry.attempted].find((state) => agree(state, observed))
        if (!matches) throw new Error(`${stream} is ${show(observed)}, after ${show(entry.known)} and perhaps ${show(entry.attempted)}`)
        entry.known = matches
        entry.attempted = matches
      }
    },
  }
}

const agree = (state: State, observed: State): boolean =>
  state.tombstoned === observed.tombstoned && (state.tombstoned || (state.floor === observed.floor && state.note === observed.note))

const show = (state: State): string => JSON.stringify(state, (_, value) => (typeof value === 'bigint' ? `${value}` : value))

async function observeState(client: EventStoreDBClient, stream: string, last: bigint): Promise<State> {
  try {
    const revisions: bigint[] = []
    for await (const { event } of client.readStream(stream)) if (event) revisions.push(event.revision)
    if (revisions.some((revision, index) => revision !== revisions[0]! + BigInt(index))) throw new Error(`a read of ${stream} has a gap`)
    if (revisions.at(-1) !== last) throw new Error(`a read of ${stream} ends at ${revisions.at(-1)}, the log at ${last}`)
    const { metadata } = await client.getStreamMetadata<{ note?: number }>(stream)
    return { floor: revisions[0]!, note: metadata?.note, tombstoned: false }
  } catch (error) {
    const type = errorType(error)
    if (type === ErrorType.STREAM_DELETED) return { ...FRESH, tombstoned: true }
    if (type === ErrorType.STREAM_NOT_FOUND) return { floor: last + 1n, note: undefined, tombstoned: false }
    throw error
  }
}
