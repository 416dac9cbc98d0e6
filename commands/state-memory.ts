import type { Loaded } from './aggregate.ts'

/** States of aggregates as they were last seen, by stream. */
export type StateMemory = {
  get(stream: string): Loaded<unknown> | undefined
  set(stream: string, loaded: Loaded<unknown>): void
}

const MAX_CHARACTERS = 64 * 1024 * 1024
/** What a remembered command takes, and what a state takes beside its own content. */
const PER_COMMAND = 250
const PER_STATE = 500

/** Remembers states up to a size; what has not been asked for for longest is forgotten. */
export function stateMemory({ maxCharacters = MAX_CHARACTERS }: { maxCharacters?: number } = {}): StateMemory {
  const states = new Map<string, { loaded: Loaded<unknown>; size: number }>()
  let held = 0

  const forget = (stream: string) => {
    held -= states.get(stream)?.size ?? 0
    states.delete(stream)
  }

  return {
    get(stream) {
      const known = states.get(stream)
      if (!known) return undefined
      states.delete(stream)
      states.set(stream, known)
      return known.loaded
    },

    set(stream, loaded) {
      forget(stream)
      const size = PER_STATE + PER_COMMAND * loaded.commands.size + JSON.stringify(loaded.state).length
      states.set(stream, { loaded, size })
      held += size
      for (const oldest of states.keys()) {
        if (held <= maxCharacters) return
        forget(oldest)
      }
    },
  }
}
