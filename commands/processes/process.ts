import { randomUUID } from 'node:crypto'
import type { DomainErrorCode } from '../../domain/domain-error.ts'
import { DomainError } from '../../domain/domain-error.ts'
import type { RecordedEvent } from '../../domain/ports/event-log.ts'
import type { CommandContext } from '../execute.ts'

/** A process manager: it reacts to events of some types by issuing commands. It must survive the same event twice. */
export type Process = {
  /** Name of its group of competing consumers, and the actor of its commands. */
  name: string
  /** Types of the events that it is given. */
  reactsTo: readonly string[]
  /** Most events worked on at once. */
  concurrency: number
  /** How those wait that are not worked on yet; in the order in which they come unless told. */
  waiting?: Waiting
  react(event: RecordedEvent): Promise<void>
}

/** Events that were handed out and wait for their turn. */
export type Waiting = {
  /** Most that may; what is beyond waits in the store, in the order of the log. */
  capacity: number
  /** The least goes first. */
  turnOf(event: RecordedEvent): number
  /** What of the event is kept meanwhile: all that the process needs to react to it. */
  keep(event: RecordedEvent): RecordedEvent
}

/** Another instance is at work on the same stream. It comes to an end or goes away: look again later. */
export class InOtherHands extends Error {
  override readonly name = 'InOtherHands'
}

/** The context of a command in answer to an event. No two are the same command, even when they answer the same event. */
export function inAnswerTo({ id, metadata }: RecordedEvent, actor: string): CommandContext {
  const { correlationId, tenant, traceparent } = metadata
  return { commandId: randomUUID(), correlationId, causationId: id, actor, tenant, traceparent }
}

/** Runs a command; a refusal with one of these codes means that somebody else has moved the aggregate on. @throws InOtherHands */
export async function unlessOvertaken<Result>(codes: readonly DomainErrorCode[], command: Promise<Result>): Promise<Result> {
  try {
    return await command
  } catch (error) {
    throw error instanceof DomainError && codes.includes(error.code) ? new InOtherHands(error.message) : error
  }
}
