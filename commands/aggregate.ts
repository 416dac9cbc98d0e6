import type { Decider } from '../domain/decider.ts'
import type { RecordedEvent } from '../domain/ports/event-log.ts'
import { type DoneCommand, NO_COMMANDS, noteCommand, type RecentCommands } from './recent-commands.ts'

/** An event of a decider as it is stored: its type and its data. */
export type DomainEvent = { type: string; data: object }

export type Aggregate<State, Command, Event extends DomainEvent> = { decider: Decider<State, Command, Event>; stream: string }

/** A state and the last event it is made of, by its revision, position and id; those are undefined when the stream has none. */
export type Loaded<State> = {
  state: State
  revision: bigint | undefined
  position: bigint | undefined
  eventId: string | undefined
  commands: RecentCommands
}

/** An aggregate as it is before its first event: what a command assumes that creates one. */
export function absent<State, Command, Event>({ initial }: Decider<State, Command, Event>): Loaded<State> {
  return { state: initial, revision: undefined, position: undefined, eventId: undefined, commands: NO_COMMANDS }
}

/** What the events that follow make of it. */
export async function followed<State, Command, Event extends DomainEvent>(
  { evolve }: Decider<State, Command, Event>,
  known: Loaded<State>,
  events: AsyncIterable<RecordedEvent> | Iterable<RecordedEvent>,
): Promise<Loaded<State>> {
  let { state } = known
  let last: RecordedEvent | undefined
  let commands: Map<string, DoneCommand> | undefined
  for await (const event of events) {
    commands ??= new Map(known.commands)
    noteCommand(commands, event)
    // What the log gives of a stream of the domain is an event of the domain.
    state = evolve(state, event as unknown as Event)
    last = event
  }
  if (!last || !commands) return known
  return { state, revision: last.revision, position: last.position, eventId: last.id, commands }
}
