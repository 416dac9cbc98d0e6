import { createHash } from 'node:crypto'
import type { Decider } from '../domain/decider.ts'
import type { Loaded } from './aggregate.ts'
import { commandsFromText, commandsToText } from './recent-commands.ts'

/** A snapshot is taken whenever a stream has grown by this many events. */
export const SNAPSHOT_EVERY = 100n

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

/** Whether a stream that ended with the one revision and now ends with the other has become due for a snapshot. */
export function isSnapshotDue(before: bigint | undefined, after: bigint): boolean {
  const snapshots = (revision: bigint) => (revision + 1n) / SNAPSHOT_EVERY
  return snapshots(after) > snapshots(before ?? -1n)
}

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
