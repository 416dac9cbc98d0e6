import { setTimeout as delay } from 'node:timers/promises'
import { v5 as uuidv5 } from 'uuid'
import { DomainError } from '../domain/domain-error.ts'
import { versionToWrite } from '../domain/event-catalogue.ts'
import { sealPersonal } from '../domain/personal-data/personal-fields.ts'
import { type EventMetadata, WrongExpectedRevision } from '../domain/ports/event-log.ts'
import { Problem } from '../http/problem.ts'
import type { Aggregate, DomainEvent, Loaded } from './aggregate.ts'
import { type AggregateLog, load, takeSnapshot } from './load.ts'
import { type DoneCommand, isSameRequest, noteCommand } from './recent-commands.ts'
import { isSnapshotDue } from './snapshot.ts'

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

/** Times a command is decided before the caller is told that others keep being first. */
const ATTEMPTS = 16
/** Between attempts a random time is waited, up to a bound that doubles: those that got in each other's way do not do so again. */
const FIRST_WAIT_MS = 10
const LONGEST_WAIT_MS = 1_000

/** Namespace of the ids of events, under which the command, its request and the index of the event are hashed (UUIDv5, RFC 9562). */
const EVENT_ID_NAMESPACE = '6f1bd6a8-3d1c-5f43-9d8c-6c1a0f6f9a51'

/**
 * Loads, decides, seals what is about people, appends at the revision that was loaded, and begins again, a bounded number of times, when another writer was first.
 * A command that the aggregate remembers is not decided again; the answer is the same. A command that decides nothing appends nothing.
 * What the caller takes to be the state, `assumed`, saves the first load: it is decided on as long as nothing speaks against it. A refusal might:
 * whether the aggregate has moved on, or the command been carried out before, is seen in the log first.
 * @throws DomainError when the aggregate refuses or the command id stands for a different request, Unavailable, WrongExpectedRevision when others keep being first
 */
export async function execute<State, Command, Event extends DomainEvent>(
  log: AggregateLog,
  aggregate: Aggregate<State, Command, Event>,
  prepare: () => Command | Promise<Command>,
  context: CommandContext,
  assumed?: Loaded<State>,
): Promise<Loaded<State>> {
  if (assumed) {
    try {
      return answeredBefore(assumed, context) ?? (await carryOut(log, aggregate, assumed, prepare, context))
    } catch (error) {
      if (!(error instanceof WrongExpectedRevision || error instanceof DomainError || error instanceof Problem)) throw error
    }
  }
  for (let attempt = 1; ; attempt++) {
    const loaded = await load(log, aggregate)
    try {
      return answeredBefore(loaded, context) ?? (await carryOut(log, aggregate, loaded, prepare, context))
    } catch (error) {
      if (!(error instanceof WrongExpectedRevision) || attempt === ATTEMPTS) throw error
    }
    await delay(Math.random() * Math.min(FIRST_WAIT_MS * 2 ** attempt, LONGEST_WAIT_MS))
  }
}

/**
 * The same command's nth event always has the same id, so that a repeated append is recognised by the store. Another request under the same
 * command id gets other ids, and is not taken for a repetition.
 */
export function eventId({ commandId, requestDigest = '' }: Pick<CommandContext, 'commandId' | 'requestDigest'>, index: number): string {
  return uuidv5(`${commandId}/${requestDigest}/${index}`, EVENT_ID_NAMESPACE)
}

/** What a command that was carried out before is answered. @throws DomainError `idempotency_key_reused` */
function answeredBefore<State>(loaded: Loaded<State>, { commandId, requestDigest }: CommandContext): Loaded<State> | undefined {
  const done = loaded.commands.get(commandId)
  if (!done) return undefined
  if (!isSameRequest(done, requestDigest))
    throw new DomainError('idempotency_key_reused', 'the idempotency key was used for a different request')
  return { ...loaded, position: done.position }
}

async function carryOut<State, Command, Event extends DomainEvent>(
  log: AggregateLog,
  aggregate: Aggregate<State, Command, Event>,
  loaded: Loaded<State>,
  prepare: () => Command | Promise<Command>,
  context: CommandContext,
): Promise<Loaded<State>> {
  const { decider, stream } = aggregate
  const decided = decider.decide(loaded.state, await prepare())
  if (decided.length === 0) return loaded
  const { dataKeys } = log
  const events = dataKeys ? await Promise.all(decided.map((event) => sealPersonal(dataKeys, stream, event))) : decided
  const recordedAt = new Date().toISOString()
  const { revision, position } = await log.append(
    stream,
    loaded.revision ?? 'no_stream',
    events.map(({ type, data }, index) => ({
      id: eventId(context, index),
      type,
      data,
      metadata: metadataOf(context, recordedAt, versionToWrite(stream, type)),
    })),
  )
  const commands = new Map<string, DoneCommand>(loaded.commands)
  noteCommand(commands, { metadata: context, position, revision, recordedAt })
  const state = events.reduce((before, event) => decider.evolve(before, event), loaded.state)
  const next = { state, revision, position, eventId: eventId(context, events.length - 1), commands }
  // Of the log, not of this: when the command was given twice at once, what the other one decided may be what is stored.
  if (isSnapshotDue(loaded.revision, next)) takeSnapshot(log, aggregate, () => load(log, aggregate))
  return next
}

function metadataOf(context: CommandContext, occurredAt: string, schemaVersion: number): EventMetadata {
  const { commandId, correlationId, causationId, actor, tenant, traceparent, requestDigest } = context
  return {
    commandId,
    correlationId,
    causationId,
    actor,
    tenant,
    occurredAt,
    schemaVersion,
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(requestDigest === undefined ? {} : { requestDigest }),
  }
}
