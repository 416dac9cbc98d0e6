import type { Decider } from '../../domain/decider.ts'

/** A decider of several commands at once: each is decided on the state that the ones before it leave, and all their events are appended in one step. */
export function inSequence<State, Command, Event>(decider: Decider<State, Command, Event>): Decider<State, readonly Command[], Event> {
  const { decide, evolve } = decider
  return {
    ...decider,
    decide(state, commands) {
      const events: Event[] = []
      let current = state
      for (const command of commands) {
        const decided = decide(current, command)
        events.push(...decided)
        current = decided.reduce(evolve, current)
      }
      return events
    },
  }
}
