/** What the outside must provide so that read models are built, followed, replaced and looked after. */

/**
 * Documents are divided among partitions by the hash of their id, and each partition is kept by one worker at a time. Two workers may believe for a
 * moment that a partition is theirs: writes are guarded by position, so the same work done twice has the effect of once.
 */
export const PARTITIONS = 16

/** One set of documents of a projection, made from the log by one version of it. No two builds ever have the same id, not even after the store lost everything. */
export type Build = { id: string; projection: string; version: number; startedAt: string }

/** The collection in which a build keeps the documents of a projection's collection. */
export const collectionOf = (build: Pick<Build, 'id'>, collection: string): string => `${collection}.${build.id}`

/** At most one build is read from (`active`) and one is being made (`building`). */
export type Builds = { active: Build | undefined; building: Build | undefined }

/** Everything up to `position` is in the partition's documents; `events` have been considered since the beginning of the log. */
export type Checkpoint = { position: bigint; events: number }

/** Before every event. */
export const BEGINNING: Checkpoint = { position: -1n, events: 0 }

/**
 * An event that a projection cannot apply. Later events of its stream are held back in this build, so that no document is made of a history with a
 * hole; all other streams go on.
 */
export type ParkedEvent = {
  build: string
  projection: string
  stream: string
  /** Of the event, as decimal strings. */
  revision: string
  position: string
  type: string
  /** What kind of failure it was, and where; never data of the event. */
  error: string
  parkedAt: string
  /** Events of the stream that wait behind it. */
  held: number
  retryRequestedAt?: string
}

/** Where a build is. `parkings` rises whenever an event is parked or unparked. */
export type BuildState = { checkpoints: ReadonlyMap<number, Checkpoint>; parked: readonly ParkedEvent[]; parkings: number }

/** What a worker has done of a build: how far its partitions are, and the last revision it has left out of each stream that is held. */
export type Advance = {
  checkpoints: ReadonlyMap<number, Checkpoint>
  held: ReadonlyMap<string, bigint>
  /** As of the state that the work was based on. */
  parkings: number
}

/** The build is not there any more: the store lost its data, or the build was replaced. */
export class BuildGone extends Error {
  override readonly name = 'BuildGone'
  constructor(readonly build: string) {
    super(`the build ${build} is gone`)
  }
}

/** A build of the projection is under way already. */
export class BuildUnderWay extends Error {
  override readonly name = 'BuildUnderWay'
  constructor(readonly build: Build) {
    super(`${build.projection} is being built already`)
  }
}

/** Where builds, their checkpoints and parked events are kept: beside the documents. Every method @throws Unavailable */
export interface ProjectionStore {
  builds(projection: string): Promise<Builds>
  /** Starts a build from the beginning, in place of one of an older version that is being made. @throws BuildUnderWay */
  begin(projection: string, version: number): Promise<Build>
  /** Readers turn to the build from now on; the documents of the one that was active stay until they are dropped. Does nothing when it is active already. @throws BuildGone */
  activate(build: Build): Promise<void>
  /** Drops what `collections` have of builds of the projection that are neither active nor being made. */
  dropRetired(projection: string, collections: readonly string[]): Promise<void>

  /** @throws BuildGone */
  state(build: Build): Promise<BuildState>
  /** By partition; a partition that is absent is at the beginning. @throws BuildGone */
  checkpoints(build: Build): Promise<ReadonlyMap<number, Checkpoint>>
  /**
   * Moves checkpoints forwards, never back, and counts what is held, in one step. False, and nothing done, when events were parked or unparked
   * since: the work was done on a wrong idea of what is held. @throws BuildGone
   */
  advance(build: Build, advance: Advance): Promise<boolean>

  /** Parks the event, unless an earlier one of its stream is. @throws BuildGone */
  park(event: ParkedEvent): Promise<void>
  /** In the order of their positions; none when the build is gone. */
  parked(build: Build): Promise<readonly ParkedEvent[]>
  /** False when no event of the stream is parked. */
  requestRetry(build: Build, stream: string): Promise<boolean>
  /**
   * Ends the parking of a stream of which everything up to the revision has been applied. False, and nothing done, when a later event has been
   * held, of which a checkpoint speaks already, or when the event is not parked any more.
   */
  unpark(event: ParkedEvent, through: bigint): Promise<boolean>
  /** Everything before `later`, an event of the same stream, has been applied: that is the one parked now. False when the event is not parked any more. */
  repark(event: ParkedEvent, later: ParkedEvent): Promise<boolean>
}

/** What a worker says of one build that it follows. Positions are decimal strings. */
export type BuildReport = {
  projection: string
  version: number
  build: string
  role: 'active' | 'building'
  partitions: readonly number[]
  /** Least of its partitions; null before the first event. */
  position: string | null
  /** Known to be in the log and not applied yet. */
  lagEvents: number
  /** From the recording of the last event applied until its application. */
  lagMs: number
  /** The build held everything in the log at this time, RFC 3339; null when it has never been seen to. */
  currentAt: string | null
  /** Events considered since the beginning of the log. */
  events: number
  parked: number
  failure: string | null
}

/** What each worker publishes on `quorate.projections.<workerId>`, every second and whenever something of it changes at once. */
export type WorkerReport = { workerId: string; startedAt: string; leaving: boolean; builds: readonly BuildReport[] }

/** The workers that were heard of lately. */
export interface ProjectionWorkers {
  reports(): readonly WorkerReport[]
}
