import type { DataKeys } from '../domain/ports/data-keys.ts'
import type { EventLog, RecordedEvent } from '../domain/ports/event-log.ts'
import { type Aggregate, absent, type DomainEvent, followed, type Loaded } from './aggregate.ts'
import { fromSnapshot, isSnapshotDue, toSnapshot } from './snapshot.ts'
import { type SnapshotQueue, type SnapshotQueueOptions, snapshotQueue } from './snapshot-queue.ts'
import { type StateMemory, stateMemory } from './state-memory.ts'

/**
 * The log; what makes aggregates load fast: without it they come out the same, from what snapshots there are; and what personal fields are sealed by before
 * they are stored: without it they are stored in the clear.
 */
export type AggregateLog = EventLog & { readonly memory?: StateMemory; readonly snapshots?: SnapshotQueue; readonly dataKeys?: DataKeys }

/** Most streams end before this many events, so that nothing else has to be looked for. */
const FEW = 32

/** The log with a memory of states, and with snapshots taken; `onFailure` hears of those that could not be written. `dataKeys` seal what is about people. */
export function rememberingLog(log: EventLog, options: SnapshotQueueOptions & Pick<AggregateLog, 'dataKeys'>): AggregateLog {
  const { dataKeys } = options
  return { ...log, memory: stateMemory(), snapshots: snapshotQueue(log, options), ...(dataKeys && { dataKeys }) }
}

/**
 * The aggregate as it is now: from what was remembered of it, else from its snapshot, else from its first event, and the events since, which are
 * asked for every time.
 * @throws Unavailable, EventUnreadable
 */
export async function load<State, Command, Event extends DomainEvent>(
  log: AggregateLog,
  aggregate: Aggregate<State, Command, Event>,
): Promise<Loaded<State>> {
  const remembered = log.memory?.get(aggregate.stream) as Loaded<State> | undefined
  const loaded = (remembered && (await goOnFrom(log, aggregate, remembered))) ?? (await loadFromStore(log, aggregate))
  if (loaded.revision !== undefined) log.memory?.set(aggregate.stream, loaded)
  return loaded
}

/** Has a snapshot taken of the state that is loaded when its turn comes. */
export function takeSnapshot<State, Command, Event extends DomainEvent>(
  { snapshots }: AggregateLog,
  { decider, stream }: Aggregate<State, Command, Event>,
  loaded: () => Loaded<State> | Promise<Loaded<State>>,
): void {
  snapshots?.write(stream, async () => toSnapshot(stream, decider.stateVersion, await loaded()))
}

async function loadFromStore<State, Command, Event extends DomainEvent>(
  log: AggregateLog,
  aggregate: Aggregate<State, Command, Event>,
): Promise<Loaded<State>> {
  const { decider, stream } = aggregate
  const first: RecordedEvent[] = []
  for await (const event of log.readStream(stream, { limit: FEW })) first.push(event)
  if (first.length < FEW) return followed(decider, absent(decider), first)

  const snapshot = fromSnapshot<State>(await log.readSnapshot(stream), stream, decider)
  const resumed = snapshot && (await goOnFrom(log, aggregate, snapshot))
  const loaded =
    resumed ?? (await followed(decider, await followed(decider, absent(decider), first), log.readStream(stream, { from: BigInt(FEW) })))
  if (isSnapshotDue(resumed && snapshot?.revision, loaded)) takeSnapshot(log, aggregate, () => loaded)
  return loaded
}

/**
 * The last known event is read again: if it is another one or none, the store has been put back to an earlier state, and nothing known of it
 * holds.
 */
async function goOnFrom<State, Command, Event extends DomainEvent>(
  log: AggregateLog,
  { decider, stream }: Aggregate<State, Command, Event>,
  known: Loaded<State>,
): Promise<Loaded<State> | undefined> {
  if (known.revision === undefined) return undefined
  const events = log.readStream(stream, { from: known.revision })[Symbol.asyncIterator]()
  const { value: same } = await events.next()
  if (same?.id !== known.eventId || same?.position !== known.position) {
    await events.return?.()
    return undefined
  }
  return followed(decider, known, { [Symbol.asyncIterator]: () => events })
}
