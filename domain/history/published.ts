const WITHHELD: ReadonlySet<string> = new Set(['authorisation', 'approvedBy'])

/** A state without what clients have signed, which could be shown to the parties again. */
export function published<State>(state: State): State {
  if (Array.isArray(state)) return state.map(published) as State
  if (typeof state !== 'object' || state === null) return state
  return Object.fromEntries(
    Object.entries(state)
      .filter(([name]) => !WITHHELD.has(name))
      .map(([name, value]) => [name, published(value)]),
  ) as State
}
