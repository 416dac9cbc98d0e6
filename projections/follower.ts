import type { Documents } from '../domain/ports/documents.ts'
import {
  BEGINNING,
  type Build,
  type BuildState,
  type Checkpoint,
  PARTITIONS,
  type ParkedEvent,
  type ProjectionStore,
} from '../domain/ports/projections.ts'
import type { Followed } from './builds.ts'
import type { ChangeFeed } from './change-feed.ts'
import { describe, isPassing, StreamReleased, TooManyParked } from './failure.ts'
import { parkedEvent } from './parking.ts'
import { partitionOf } from './partition.ts'
import type { Projection } from './projection.ts'
import { applyEvents, type Delivered, type Stuck, writeMaker } from './writes.ts'

/** Streams of one build that may be held. With more, something else is wrong, and a read model with so many holes helps nobody. */
const MAX_PARKED = 100

/** How often it is said how far a build is that catches up: each time is a message of its own, and nobody waits for what is old. */
const ANNOUNCE_EVERY_MS = 250

/** Events in the log's order, and where one is after them; `live` when nothing older is left. */
export type Batch = { events: readonly Delivered[]; through: Checkpoint; live: boolean }

/** Keeps the worker's partitions of one build. */
export type Follower = {
  readonly projection: Projection
  readonly build: Build
  readonly role: 'active' | 'building'
  readonly partitions: readonly number[]
  /** Where to read from. */
  readonly from: Checkpoint
  /** Everything up to here is applied, or held. */
  at(): Checkpoint
  parked(): readonly ParkedEvent[]
  /** Why it takes nothing more; null when it does. */
  failure(): string | null
  /** Applies one batch after the other. @throws Unavailable, BuildGone, StreamReleased: then it is to be begun again from the checkpoints */
  take(batch: Batch): Promise<void>
  /** Stores how far it is. @throws like `take` */
  keep(): Promise<void>
  /** Compares with what the store says is parked. @throws StreamReleased */
  check(state: BuildState): void
  /** Says to those who read how far it is. */
  announce(): void
}

export type FollowerOptions = Followed & {
  partitions: readonly number[]
  state: BuildState
  documents: Pick<Documents, 'apply'>
  store: Pick<ProjectionStore, 'advance' | 'park' | 'state'>
  feed: ChangeFeed
  onFailure(projection: string, error: unknown): void
}

/**
 * The invariant that all rests on: when the checkpoint of a partition says `c`, every write to that partition of an event up to `c` is in the
 * documents, except those of streams that are parked, at or after the revision parked; and of each of those the store knows how far they have been
 * left out. It holds because the checkpoint is stored after the writes, and only when what is parked is still what was left out. Writes may be
 * ahead of it, and be done again by this worker or another: each document takes effect of a position once.
 */
export function follow(options: FollowerOptions): Follower {
  const { projection, build, role, visible, partitions, documents, store, feed } = options
  const starts = new Map(partitions.map((partition) => [partition, options.state.checkpoints.get(partition) ?? BEGINNING]))
  const from = least([...starts.values()])
  /** From here on every write is this worker's, and of no id it need be asked. */
  const allMineAfter = partitions.length === PARTITIONS ? highest([...starts.values()]).position : undefined
  let at = from
  let kept = from
  let announced = { position: from.position, when: 0 }
  let failure: string | null = null
  let { parked, parkings } = options.state
  let heldFrom = revisionsOf(parked)
  const heldThrough = new Map<string, bigint>()
  const make = writeMaker(projection, build)

  const isMine = (id: string, position: bigint) => {
    const start = starts.get(partitionOf(id))
    return start !== undefined && position > start.position
  }

  const isHeld = ({ stream, revision }: Delivered['event']) => {
    if (heldFrom.size === 0) return false
    const first = heldFrom.get(stream)
    return first !== undefined && revision >= first
  }

  /** @throws StreamReleased */
  const adopt = (state: BuildState) => {
    const now = revisionsOf(state.parked)
    for (const [stream, first] of heldFrom) {
      const still = now.get(stream)
      if (still === undefined || still > first) throw new StreamReleased(`a stream of ${build.id} is not held any more`)
    }
    heldFrom = now
    ;({ parked, parkings } = state)
  }

  const park = async (stuck: Stuck) => {
    if (parked.length >= MAX_PARKED) throw new TooManyParked(MAX_PARKED)
    await store.park(parkedEvent(build, stuck))
    options.onFailure(projection.name, stuck.error)
    adopt(await store.state(build))
  }

  /** What of the event is this worker's to write. */
  const writesTo = (changed: Map<string, bigint> | undefined) => (delivered: Delivered) => {
    const { position, stream, revision } = delivered.event
    if (position <= from.position) return []
    if (isHeld(delivered.event)) {
      heldThrough.set(stream, revision)
      return []
    }
    const made = make(delivered)
    if (made.length === 0) return made
    const writes = allMineAfter !== undefined && position > allMineAfter ? made : made.filter(({ id }) => isMine(id, position))
    if (changed) for (const { id } of writes) changed.set(id, position)
    return writes
  }

  const announce = () => {
    announced = { position: at.position, when: Date.now() }
    if (visible && at.position >= 0n && partitions.length > 0) feed.reached(build, partitions, at.position)
  }

  const take = async ({ events, through, live }: Batch) => {
    // Nobody waits for the documents of a build that is catching up one by one.
    const changed = visible && live ? new Map<string, bigint>() : undefined
    for (let rest = events; ; ) {
      const stuck = await applyEvents(documents, rest, writesTo(changed))
      if (!stuck) break
      await park(stuck)
      rest = rest.filter(({ event }) => event.position >= stuck.event.position)
    }
    if (through.position > at.position) at = through
    if (changed) for (const [id, position] of changed) feed.changed(projection.name, id, position)
    const isDue = live || Date.now() >= announced.when + ANNOUNCE_EVERY_MS
    if (isDue && announced.position !== at.position) announce()
  }

  return {
    projection,
    build,
    role,
    partitions,
    from,
    at: () => at,
    parked: () => parked,
    failure: () => failure,
    announce,
    check: adopt,

    async take(batch) {
      if (failure !== null) return
      try {
        await take(batch)
      } catch (error) {
        if (isPassing(error)) throw error
        failure = describe(error)
        options.onFailure(projection.name, error)
      }
    },

    async keep() {
      const now = at
      if (now.position === kept.position) return
      const checkpoints = new Map([...starts].map(([partition, start]) => [partition, now.position > start.position ? now : start]))
      const advanced = await store.advance(build, { checkpoints, held: new Map(heldThrough), parkings })
      if (advanced) kept = now
      else adopt(await store.state(build))
    },
  }
}

function least(checkpoints: readonly Checkpoint[]): Checkpoint {
  return checkpoints.reduce((a, b) => (b.position < a.position ? b : a), checkpoints[0] ?? BEGINNING)
}

function highest(checkpoints: readonly Checkpoint[]): Checkpoint {
  return checkpoints.reduce((a, b) => (b.position > a.position ? b : a), BEGINNING)
}

function revisionsOf(parked: readonly ParkedEvent[]): Map<string, bigint> {
  return new Map(parked.map(({ stream, revision }) => [stream, BigInt(revision)]))
}
