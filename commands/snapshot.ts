import { createHash } from 'node:crypto'
import type { Decider } from '../domain/decider.ts'
import type { Loaded } from './aggregate.ts'
import { commandsFromText, commandsToText } from './recent-commands.ts'

const SNAPSHOT_EVERY = 100n
/** About what an event takes in the log, and a command in a snapshot. */
const PER_EVENT = 800
const PER_COMMAND = 100
/** The store takes 1 MiB at once. What is larger has more under way than is usual: it is loaded from an older snapshot until that has passed. */
const LARGEST_BYTES = 1_000_000

/** What is stored; `digest` is the hex SHA-256 of the rest. Large numbers are decimal strings. */
type Snapshot = { content: Content; digest: string }
type Content = {
  stateVersion: number
  stream: string
  revision: string
  position: string
  eventId: string
  state: unknown
  commands: string
}

/**
 * Whether a stream that ended with a revision, or was empty, and now has this state has become due for a snapshot: every hundred events, or every
 * so many hundred as weigh what it weighs itself, because the log keeps each of them for ever. One that is too large for the store never is.
 */
export function isSnapshotDue(before: bigint | undefined, after: Loaded<unknown>): boolean {
  const passed = (every: bigint) => ((after.revision ?? -1n) + 1n) / every > ((before ?? -1n) + 1n) / every
  if (!passed(SNAPSHOT_EVERY)) return false
  const bytes = weightOf(after)
  return bytes <= LARGEST_BYTES && passed(SNAPSHOT_EVERY * hundredsWorth(bytes))
}

/** About what a snapshot of this state weighs, in bytes. */
const weightOf = ({ state, commands }: Loaded<unknown>): number => Buffer.byteLength(JSON.stringify(state)) + PER_COMMAND * commands.size

/** How many hundred events weigh as much. */
const hundredsWorth = (bytes: number): bigint => BigInt(Math.max(1, Math.ceil(bytes / (PER_EVENT * Number(SNAPSHOT_EVERY)))))

/** The state of an aggregate that has at least one event, as it is stored. */
export function toSnapshot(
  stream: string,
  stateVersion: number,
  { state, revision, position, eventId, commands }: Loaded<unknown>,
): Snapshot {
  const content: Content = {
    stateVersion,
    stream,
    revision: String(revision),
    position: String(position),
    eventId: eventId ?? '',
    state,
    commands: commandsToText(commands),
  }
  return { content, digest: digestOf(content) }
}

/** The state in a snapshot; undefined when it is damaged, of another stream, or of another version of the state. */
export function fromSnapshot<State>(
  stored: unknown,
  stream: string,
  { stateVersion }: Pick<Decider<State, never, never>, 'stateVersion'>,
): Loaded<State> | undefined {
  try {
    const { content, digest } = stored as Snapshot
    if (digestOf(content) !== digest || content.stream !== stream || content.stateVersion !== stateVersion) return undefined
    return {
      state: content.state as State,
      revision: BigInt(content.revision),
      position: BigInt(content.position),
      eventId: content.eventId,
      commands: commandsFromText(content.commands),
    }
  } catch {
    return undefined
  }
}

/** JSON keeps the order of fields, so what is read back is hashed as it was written. */
function digestOf(content: Content): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex')
}
