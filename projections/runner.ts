import { setTimeout as delay } from 'node:timers/promises'
import { CheckpointMoved, type Documents } from '../domain/ports/documents.ts'
import type { EventLog, RecordedEvent, SubscriptionMessage } from '../domain/ports/event-log.ts'
import { batches } from './batches.ts'
import { checkpointName, DOMAIN_STREAMS, type Projection, type RecordedDomainEvent } from './projection.ts'

/** What the runner tells the world after it has written: the feed that waiting readers are woken by. */
export interface ChangeFeed {
  /** The document `key` of the projection is now as of `position`. */
  changed(projection: string, key: string, position: bigint): void
  /** Everything up to `position` is in the projection. */
  reached(projection: string, position: bigint): void
}

/** What an operator sees of a projection. `lagMs` is from the recording of the last event applied to its application. */
export type ProjectionStatus = { position: bigint | undefined; applied: number; lagMs: number; live: boolean; failure: string | null }

export type RunnerOptions = {
  log: EventLog
  documents: Documents
  feed: ChangeFeed
  signal: AbortSignal
  onFailure(projection: string, error: unknown): void
}

const BATCH = 500

/**
 * The checkpoint may lag behind what was written, because writes are guarded by position: applying an event again changes nothing.
 * It is also looked at this often, to notice a store that lost its data or a rebuild that was asked for.
 */
const CHECKPOINT_EVERY_MS = 500
const RESTART_AFTER_MS = 500

/** Before every position. */
const BEGINNING = -1n

/** Keeps a projection up to date until the signal aborts. Whatever goes wrong, it starts again from the last checkpoint. */
export function runProjection(projection: Projection, options: RunnerOptions): { done: Promise<void>; status(): ProjectionStatus } {
  const status: ProjectionStatus = { position: undefined, applied: 0, lagMs: 0, live: false, failure: null }
  const { signal } = options
  const run = async () => {
    while (!signal.aborted) {
      try {
        await follow(projection, options, status)
      } catch (error) {
        status.live = false
        if (signal.aborted) return
        if (!(error instanceof CheckpointMoved)) {
          status.failure = error instanceof Error ? error.message : String(error)
          options.onFailure(projection.name, error)
          await delay(RESTART_AFTER_MS, undefined, { signal }).catch(() => {})
        }
      }
    }
  }
  return { done: run(), status: () => ({ ...status }) }
}

async function follow(projection: Projection, options: RunnerOptions, status: ProjectionStatus): Promise<void> {
  const left = new AbortController()
  try {
    await followUntil(AbortSignal.any([options.signal, left.signal]), projection, options, status)
  } finally {
    left.abort()
  }
}

async function followUntil(
  signal: AbortSignal,
  projection: Projection,
  { log, documents, feed }: Omit<RunnerOptions, 'signal'>,
  status: ProjectionStatus,
): Promise<void> {
  const name = checkpointName(projection)
  let stored = (await documents.readCheckpoint(name)) ?? (await begin(documents, name, projection))
  await documents.ensureIndexes(projection.indexes)
  let position = stored
  let checkedAt = Date.now()
  status.position = position
  feed.reached(projection.name, position)

  const messages = log.subscribe({ after: position === BEGINNING ? undefined : position, prefixes: DOMAIN_STREAMS, signal })
  try {
    for await (const batch of batches(messages, { limit: BATCH, idleMs: CHECKPOINT_EVERY_MS })) {
      const last = await applyBatch(projection, batch, documents, feed, status)
      if (last !== undefined) {
        position = last
        status.position = position
        feed.reached(projection.name, position)
      }
      status.failure = null
      if (Date.now() - checkedAt >= CHECKPOINT_EVERY_MS) {
        await keepCheckpoint(documents, name, stored, position)
        stored = position
        checkedAt = Date.now()
      }
    }
  } finally {
    // However it ends, what was applied need not be applied again.
    if (position !== stored) await keepCheckpoint(documents, name, stored, position)
  }
}

/** Nothing of what is there belongs to a build from the beginning; the checkpoint says from the first moment that one is under way. */
async function begin(documents: Documents, name: string, projection: Projection): Promise<bigint> {
  await documents.drop(name, projection.collections)
  await documents.moveCheckpoint(name, undefined, BEGINNING)
  return BEGINNING
}

/** Position that has been considered after the batch, undefined when it says nothing of it. */
async function applyBatch(
  projection: Projection,
  batch: readonly SubscriptionMessage[],
  documents: Documents,
  feed: ChangeFeed,
  status: ProjectionStatus,
): Promise<bigint | undefined> {
  const events = batch.flatMap((message) => (message.kind === 'event' ? [message.event] : []))
  const writes = events.map((event) => ({ position: event.position, writes: projection.apply(asDomainEvent(event)) }))
  const effective = writes.filter((each) => each.writes.length > 0)
  if (effective.length > 0) await documents.apply(effective)
  for (const { position, writes } of effective) for (const { id } of writes) feed.changed(projection.name, id, position)
  if (batch.some(({ kind }) => kind === 'caughtUp')) status.live = true
  const newest = events.at(-1)
  if (newest) {
    status.applied += events.length
    status.lagMs = Date.now() - Date.parse(newest.recordedAt)
  }
  return batch.reduce<bigint | undefined>((reached, message) => positionOf(message) ?? reached, undefined)
}

function positionOf(message: SubscriptionMessage): bigint | undefined {
  if (message.kind === 'event') return message.event.position
  return message.kind === 'checkpoint' ? message.position : undefined
}

/** @throws CheckpointMoved when it is not where this runner left it */
async function keepCheckpoint(documents: Documents, name: string, stored: bigint, position: bigint): Promise<void> {
  if (position === stored) {
    if ((await documents.readCheckpoint(name)) !== stored) throw new CheckpointMoved(`the checkpoint of ${name} has moved`)
  } else await documents.moveCheckpoint(name, stored, position)
}

/** The subscription's filter lets only streams of the domain through, and only Quorate writes those. */
function asDomainEvent(event: RecordedEvent): RecordedDomainEvent {
  return event as unknown as RecordedDomainEvent
}
