import { currentEvent } from '../event-catalogue.ts'
import type { RecordedEvent } from '../ports/event-log.ts'
import { digestOf, type Hashing } from './digest.ts'
import { hadHappened, type Moment } from './moment.ts'

/** What the events of a stream make of it, and what they are. */
export type StreamAt<State> = {
  state: State
  events: number
  /** Position of the last event, as a decimal string. */
  position: string
  /** As `digestOf` makes it, hex. */
  digest: string
}

/** What is true before anything happened, and what an event makes of it. */
export type Evolution<State, Event> = { initial: State; evolve(state: State, event: Event): State }

/** A stream as of a moment, from its events alone. @throws EventUnreadable when one of them cannot be read */
export async function streamAt<State, Event>(
  history: AsyncIterable<RecordedEvent>,
  { initial, evolve }: Evolution<State, Event>,
  moment: Moment,
  hash: Hashing,
): Promise<StreamAt<State>> {
  const digest = digestOf(hash)
  let state = initial
  let position = 0n
  for await (const event of history) {
    // Clocks differ: nothing that follows a later event has happened before it.
    if (!hadHappened(event, moment)) break
    digest.add(event)
    state = evolve(state, currentEvent(event) as unknown as Event)
    position = event.position
  }
  return { state, events: digest.events(), position: position.toString(), digest: digest.hex() }
}
