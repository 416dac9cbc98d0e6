/** What the outside must provide as the log of events (EventStoreDB, real or embedded). */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
export type JsonObject = { [key: string]: Json }

/** Who caused an event, and why; on every event. Times are RFC 3339 UTC. */
export type EventMetadata = {
  commandId: string
  correlationId: string
  causationId: string
  /** `sub` of the caller, or the name of the process that reacted. */
  actor: string
  tenant: string
  occurredAt: string
  schemaVersion: number
  traceparent?: string
  /** SHA-256 (hex) of the request behind the command, to tell a repeated request from a different one. */
  requestDigest?: string
}

export type NewEvent<Type extends string = string, Data extends object = object> = {
  /** UUID; the same id appended again at the same older revision is recognised. */
  id: string
  type: Type
  data: Data
  metadata: EventMetadata
}

export type RecordedEvent = NewEvent & {
  stream: string
  revision: bigint
  /** Commit position in the log of all streams; strictly increasing. */
  position: bigint
  /** When the store recorded it. */
  recordedAt: string
}

export type ExpectedRevision = 'any' | 'no_stream' | bigint

/** `revision` and `position` are those of the last event appended. */
export type Appended = { revision: bigint; position: bigint }

/**
 * What a catch-up subscription says, in the log's order. `checkpoint` means everything up to `position` has been considered;
 * `unreadable` is an event that this version cannot make anything of, as it is stored.
 */
export type SubscriptionMessage =
  | { kind: 'event'; event: RecordedEvent }
  | { kind: 'unreadable'; event: RecordedEvent; error: EventUnreadable }
  | { kind: 'checkpoint'; position: bigint }
  | { kind: 'caughtUp' }

/** One event handed to one of several competing consumers. It comes again until it is acknowledged or parked. */
export type Delivery = {
  event: RecordedEvent
  /** When nothing can be made of the event: it can only be parked. */
  unreadable?: EventUnreadable
  retryCount: number
  ack(): Promise<void>
  retry(reason: string): Promise<void>
  park(reason: string): Promise<void>
}

/** Another writer was first: the stream is not at the expected revision. */
export class WrongExpectedRevision extends Error {
  override readonly name = 'WrongExpectedRevision'
  constructor(readonly stream: string) {
    super(`stream ${stream} is not at the expected revision`)
  }
}

/** A dependency does not answer; the outcome of a write may be unknown. Safe to retry. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable'
  constructor(
    readonly dependency: string,
    options?: ErrorOptions,
  ) {
    super(`${dependency} does not answer`, options)
  }
}

/** An event of a newer version than this software knows, of an unknown type, or whose data are not what its type says. */
export class EventUnreadable extends Error {
  override readonly name = 'EventUnreadable'
  readonly code = 'event_unreadable'
  readonly stream: string
  readonly revision: bigint
  readonly position: bigint
  readonly type: string
  /** As the event gives it. */
  readonly version: unknown
  constructor({ stream, revision, position, type, metadata }: RecordedEvent, reason: string) {
    const version: unknown = (metadata as EventMetadata | undefined)?.schemaVersion
    super(`event ${revision} of ${stream} (${type}, version ${version}) cannot be read: ${reason}`)
    this.stream = stream
    this.revision = revision
    this.position = position
    this.type = type
    this.version = version
  }
}

/** Events of streams, or events of types, whose names begin with one of these. */
export type Selection = { prefixes: readonly string[] } | { types: readonly string[] }

export interface EventLog {
  /** @throws WrongExpectedRevision, Unavailable */
  append(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): Promise<Appended>

  /** Forwards from `from` (inclusive, default the first). A stream that does not exist is empty. */
  readStream(stream: string, options?: { from?: bigint; limit?: number }): AsyncIterable<RecordedEvent>

  /**
   * The whole log forwards as it is stored, snapshots and events of system streams left out; after a position, or from one on. A store may refuse to read
   * from where no event is.
   */
  readAll(options?: { after?: bigint | undefined; from?: bigint | undefined; limit?: number }): AsyncIterable<RecordedEvent>

  /** Position of the last event of a stream with one of the prefixes; undefined when there is none among the newest events of the log. */
  lastPosition(prefixes: readonly string[]): Promise<bigint | undefined>

  /**
   * Live, after `after` (exclusive; from the start without), only streams with one of the prefixes. Each batch holds what is ready at that
   * moment: at least one message, at most `maxBatch` (default 500). Ends when the signal aborts; throws Unavailable when the connection is
   * lost or has fallen silent.
   */
  subscribe(options: {
    after?: bigint | undefined
    prefixes: readonly string[]
    signal: AbortSignal
    maxBatch?: number
  }): AsyncIterable<readonly SubscriptionMessage[]>

  /**
   * Joins (and on first use creates) a group of competing consumers over some of the events of the log. At most `buffer` deliveries (default
   * 256) are out at once that were not answered. Ends when the signal aborts; throws Unavailable when the connection is lost or has fallen silent.
   */
  consume(options: { group: string; signal: AbortSignal; buffer?: number } & Selection): AsyncIterable<Delivery>

  /** The newest snapshot of the stream, as it was written; undefined when there is none. @throws Unavailable */
  readSnapshot(stream: string): Promise<unknown>

  /** Replaces the snapshot of the stream. @throws Unavailable */
  writeSnapshot(stream: string, snapshot: object): Promise<void>

  /** Resolves when the store answers. @throws Unavailable */
  ping(): Promise<void>

  close(): Promise<void>
}
