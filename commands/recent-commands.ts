import type { RecordedEvent } from '../domain/ports/event-log.ts'

/** A command that has been carried out: where its last event is, in the log and in its stream, when that was recorded (milliseconds), and which request it was. */
export type DoneCommand = { position: bigint; revision: bigint; at: number; request: string | undefined }

/** Commands by their id, the oldest first. */
export type RecentCommands = ReadonlyMap<string, DoneCommand>

export const NO_COMMANDS: RecentCommands = new Map()

/** A command is remembered until it is a day old or this many have followed it on the same aggregate, but the one that created it for ever. */
const MOST = 4_096
const LONGEST_MS = 24 * 60 * 60 * 1000

/** Enough of a request's SHA-256 to tell it from another: 128 bits, hex. */
const REQUEST_DIGITS = 32

/** Notes what commands these events come from, and forgets the oldest. */
export function noteCommand(commands: Map<string, DoneCommand>, { metadata, position, revision, recordedAt }: Noted): void {
  const at = Date.parse(recordedAt)
  commands.set(metadata.commandId, { position, revision, at, request: metadata.requestDigest?.slice(0, REQUEST_DIGITS) })
  const [creator] = commands.keys()
  for (const [id, done] of commands) {
    if (commands.size <= MOST && done.at >= at - LONGEST_MS) return
    if (id !== creator) commands.delete(id)
  }
}
type Noted = Pick<RecordedEvent, 'position' | 'revision' | 'recordedAt'> & {
  metadata: Pick<RecordedEvent['metadata'], 'commandId' | 'requestDigest'>
}

/** Whether the command was carried out for this request. */
export function isSameRequest({ request }: DoneCommand, requestDigest: string | undefined): boolean {
  return request === requestDigest?.slice(0, REQUEST_DIGITS)
}

/** One line of text per command: there are thousands in a snapshot, and text is read fastest. */
export function commandsToText(commands: RecentCommands): string {
  return [...commands].map(([id, { position, revision, at, request = '' }]) => `${id} ${position} ${at} ${request} ${revision}`).join('\n')
}

/** @throws SyntaxError when it is not such text */
export function commandsFromText(text: string): RecentCommands {
  if (text === '') return NO_COMMANDS
  return new Map(
    text.split('\n').map((line) => {
      const [id = '', position = '', at = '', request, revision] = line.split(' ')
      if (revision === undefined) throw new SyntaxError('a command does not say where it is in its stream')
      return [id, { position: BigInt(position), revision: BigInt(revision), at: Number(at), request: request || undefined }]
    }),
  )
}
