/**
 * An aggregate as three pure values: what is true before anything happened, what a command makes of a state, what an event makes of a state.
 * `decide` throws a DomainError when the command is refused; no events mean that nothing is left to do.
 */
export type Decider<State, Command, Event> = {
  /** Raised whenever `evolve` makes something else of the same events, so that no snapshot of an earlier state is taken for one of today. */
  stateVersion: number
  initial: State
  decide(state: State, command: Command): readonly Event[]
  evolve(state: State, event: Event): State
}

/** The state after these events. */
export function fold<State, Command, Event>(decider: Decider<State, Command, Event>, events: Iterable<Event>): State {
  let state = decider.initial
  for (const event of events) state = decider.evolve(state, event)
  return state
}
