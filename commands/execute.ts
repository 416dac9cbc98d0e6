import { v5 as uuidv5 } from 'uuid'
import type { Decider } from '../domain/decider.ts'
import { DomainError } from '../domain/domain-error.ts'
import { type EventLog, type EventMetadata, type RecordedEvent, WrongExpectedRevision } from '../domain/ports/event-log.ts'

/** Who asks, in answer to what. `commandId` names the command: given again, it changes nothing. */
export type CommandContext = {
  commandId: string
  correlationId: string
  causationId: string
  actor: string
  tenant: string
  traceparent?: string | undefined
  requestDigest?: string | undefined
}

/** An event of a decider as it is stored: its type and its data. */
export type DomainEvent = { type: string; data: object }

export type Aggregate<State, Command, Event extends DomainEvent> = { decider: Decider<State, Command, Event>; stream: string }

/** `revision` and `position` are those of the last event of the stream, undefined when it has none. */
export type Loaded<State> = { state: State; revision: bigint | undefined; position: bigint | undefined }

const ATTEMPTS = 8
const SCHEMA_VERSION = 1

/** Namespace of the ids of events, under which the command, its request and the index of the event are hashed (UUIDv5, RFC 9562). */
const EVENT_ID_NAMESPACE = '6f1bd6a8-3d1c-5f43-9d8c-6c1a0f6f9a51'

/** The aggregate's state from its events. */
export async function load<State, Command, Event extends DomainEvent>(
  log: EventLog,
  { decider, stream }: Aggregate<State, Command, Event>,
): Promise<Loaded<State>> {
  return replay(decider, log.readStream(stream), () => {})
}

/** An aggregate as it is before its first event: what a command assumes that creates one. */
export function absent<State, Command, Event>({ initial }: Decider<State, Command, Event>): Loaded<State> {
  return { state: initial, revision: undefined, position: undefined }
}

/**
 * Loads, decides, appends at the revision that was loaded, and begins again, a bounded number of times, when another writer was first.
 * A command whose id is in the stream already is not decided again; the answer is the same. A command that decides nothing appends nothing.
 * What the caller takes to be the state, `assumed`, saves the first load: it is decided on as long as nothing speaks against it. A refusal might:
 * whether the aggregate has moved on, or the command been carried out before, is seen in its events first.
 * @throws DomainError when the aggregate refuses or the command id stands for a different request, Unavailable, WrongExpectedRevision when others keep being first
 */
export async function execute<State, Command, Event extends DomainEvent>(
  log: EventLog,
  { decider, stream }: Aggregate<State, Command, Event>,
  prepare: () => Command | Promise<Command>,
  context: CommandContext,
  assumed?: Loaded<State>,
): Promise<Loaded<State>> {
  const carryOutOn = async (loaded: Loaded<State>): Promise<Loaded<State>> => {
    const events = decider.decide(loaded.state, await prepare())
    if (events.length === 0) return loaded
    const metadata = metadataOf(context)
    const appended = await log.append(
      stream,
      loaded.revision ?? 'no_stream',
      events.map(({ type, data }, index) => ({ id: eventId(context, index), type, data, metadata })),
    )
    return { ...appended, state: events.reduce((state, event) => decider.evolve(state, event), loaded.state) }
  }

  if (assumed) {
    try {
      return await carryOutOn(assumed)
    } catch (error) {
      if (!(error instanceof WrongExpectedRevision || error instanceof DomainError)) throw error
    }
  }
  for (let attempt = 1; ; attempt++) {
    let mine: RecordedEvent | undefined
    const loaded = await replay(decider, log.readStream(stream), (event) => {
      if (event.metadata.commandId === context.commandId) mine = event
    })
    if (mine) {
      if (mine.metadata.requestDigest !== context.requestDigest)
        throw new DomainError('idempotency_key_reused', 'the idempotency key was used for a different request')
      return { ...loaded, position: mine.position }
    }
    try {
      return await carryOutOn(loaded)
    } catch (error) {
      if (!(error instanceof WrongExpectedRevision) || attempt === ATTEMPTS) throw error
    }
  }
}

/**
 * The same command's nth event always has the same id, so that a repeated append is recognised by the store. Another request under the same
 * command id gets other ids, and is not taken for a repetition.
 */
export function eventId({ commandId, requestDigest = '' }: Pick<CommandContext, 'commandId' | 'requestDigest'>, index: number): string {
  return uuidv5(`${commandId}/${requestDigest}/${index}`, EVENT_ID_NAMESPACE)
}

async function replay<State, Command, Event extends DomainEvent>(
  decider: Decider<State, Command, Event>,
  events: AsyncIterable<RecordedEvent>,
  look: (event: RecordedEvent) => void,
): Promise<Loaded<State>> {
  let state = decider.initial
  let revision: bigint | undefined
  let position: bigint | undefined
  for await (const event of events) {
    look(event)
    state = decider.evolve(state, event as unknown as Event)
    revision = event.revision
    position = event.position
  }
  return { state, revision, position }
}

function metadataOf({ commandId, correlationId, causationId, actor, tenant, traceparent, requestDigest }: CommandContext): EventMetadata {
  return {
    commandId,
    correlationId,
    causationId,
    actor,
    tenant,
    occurredAt: new Date().toISOString(),
    schemaVersion: SCHEMA_VERSION,
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(requestDigest === undefined ? {} : { requestDigest }),
  }
}
