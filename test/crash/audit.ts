import { createHash } from 'node:crypto'
import { type EventStoreDBClient, FORWARDS, START } from '@eventstore/db-client'
import type { Recorded } from './content.ts'
import type { Ledger } from './ledger.ts'

/** Where an event is, and which: what must never change once anybody has seen it. */
export const placeOf = ({ position, streamId, revision, id }: Recorded): string => `${position?.commit} ${streamId} ${revision} ${id}`

/** Reads the log after every start, and knows what it held before. */
export type Audit = {
  /** Takes what has been added since the last time. @throws at the first thing that is wrong; returns the places of what was added */
  takeNew(client: EventStoreDBClient): Promise<string[]>
  /** Reads everything from the beginning, and each stream alone. @throws when anything has changed */
  rereadAll(client: EventStoreDBClient): Promise<void>
  /** Revision of the last event of a stream, -1 of one that was never there. */
  lastRevision(stream: string): bigint
  /** Position of the last event taken. */
  position(): bigint | undefined
  readonly events: number
}

/** What ends a stream for ever; its revision is the largest that there is. */
const TOMBSTONE = '$streamDeleted'
/** Streams that are read alone after one start, beside the log of all streams. */
const STREAMS_PER_PASS = 60
const AT_ONCE = 8

export type AuditOptions = {
  ledger: Ledger
  /** Whether the ledger knows the events of a stream. */
  isWatched(stream: string): boolean
  /** Whether reads of a stream hide nothing. */
  isWhole(stream: string): boolean
  /** Called with every event, when it is taken. */
  taken(event: Recorded): void
}

export function createAudit({ ledger, isWatched, isWhole, taken }: AuditOptions): Audit {
  const tombstoned = new Set<string>()
  const lastRevisions = new Map<string, bigint>()
  const digest = createHash('sha256')
  let position: bigint | undefined
  let events = 0

  return {
    async takeNew(client) {
      const places: string[] = []
      const added = new Map<string, string[]>()
      for await (const event of readAllFrom(client, position)) {
        const last = lastRevisions.get(event.streamId) ?? -1n
        if (tombstoned.has(event.streamId)) throw new Error(`${event.streamId} is tombstoned, and goes on with revision ${event.revision}`)
        if (event.type === TOMBSTONE) tombstoned.add(event.streamId)
        else if (event.revision !== last + 1n) throw new Error(`after revision ${last} of ${event.streamId} comes ${event.revision}`)
        else lastRevisions.set(event.streamId, event.revision)
        position = event.position!.commit
        events += 1
        digest.update(fingerprint(event))
        const place = placeOf(event)
        places.push(place)
        taken(event)
        if (!isWatched(event.streamId) || event.type === TOMBSTONE) continue
        ledger.see(event)
        if (isWhole(event.streamId)) added.set(event.streamId, [...(added.get(event.streamId) ?? []), place])
      }
      ledger.settle()
      await forEachOf([...added].slice(-STREAMS_PER_PASS), async ([stream, expected]) => {
        await compareStream(client, stream, lastRevisions.get(stream)! - BigInt(expected.length - 1), expected)
      })
      return places
    },
    async rereadAll(client) {
      const again = createHash('sha256')
      const streams = new Map<string, string[]>()
      let count = 0
      for await (const event of readAllFrom(client, undefined)) {
        if (event.position!.commit > position!) continue
        again.update(fingerprint(event))
        count += 1
        if (isWatched(event.streamId) && isWhole(event.streamId))
          streams.set(event.streamId, [...(streams.get(event.streamId) ?? []), placeOf(event)])
      }
      if (count !== events) throw new Error(`the log had ${events} events up to ${position}, and now it has ${count}`)
      if (again.digest('hex') !== digest.copy().digest('hex'))
        throw new Error(`the ${events} events up to ${position} are not what they were`)
      await forEachOf([...streams], ([stream, expected]) => compareStream(client, stream, 0n, expected))
    },
    lastRevision: (stream) => lastRevisions.get(stream) ?? -1n,
    position: () => position,
    get events() {
      return events
    },
  }
}

/** The log after a position; the event at it must still be there. Positions must increase. */
async function* readAllFrom(client: EventStoreDBClient, after: bigint | undefined): AsyncGenerator<Recorded> {
  const fromPosition = after === undefined ? START : { commit: after, prepare: after }
  let last: bigint | undefined
  for await (const { event } of client.readAll({ direction: FORWARDS, fromPosition })) {
    if (!event) continue
    const { commit } = event.position
    if (last === undefined && after !== undefined && commit !== after)
      throw new Error(`the event at ${after} is gone, the next one is at ${commit}`)
    if (last !== undefined && commit <= last) throw new Error(`position ${commit} comes after ${last}`)
    last = commit
    if (after === undefined || commit > after) yield event
  }
  if (last === undefined && after !== undefined) throw new Error(`the log ends before ${after}`)
}

async function compareStream(client: EventStoreDBClient, stream: string, fromRevision: bigint, expected: readonly string[]): Promise<void> {
  let count = 0
  for await (const { event } of client.readStream(stream, { fromRevision })) {
    if (!event) throw new Error(`a read of ${stream} has no event`)
    const place = placeOf(event)
    if (place !== expected[count]) throw new Error(`a read of the stream has ${place} where the log has ${expected[count]}`)
    count += 1
  }
  if (count !== expected.length) throw new Error(`a read of ${stream} from ${fromRevision} has ${count} events, the log ${expected.length}`)
}

async function forEachOf<T>(items: readonly T[], action: (item: T) => Promise<void>): Promise<void> {
  const left = items[Symbol.iterator]()
  const worker = async () => {
    for (const item of left) await action(item)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

function fingerprint(event: Recorded): string {
  const { type, isJson, data, metadata, created } = event
  const text = (value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : JSON.stringify(value))
  return JSON.stringify([placeOf(event), type, isJson, created.getTime(), text(data), text(metadata)])
}
