import { setTimeout as delay } from 'node:timers/promises'
import { DomainError } from '../../domain/domain-error.ts'
import type { EventLog, RecordedEvent } from '../../domain/ports/event-log.ts'
import { SIGNING_SESSION_STREAMS, type SigningRequest } from '../../domain/signing-session/events.ts'
import { type SigningSessionCommand, signingSession } from '../../domain/signing-session/signing-session.ts'
import { execute } from '../execute.ts'
import type { AggregateLog } from '../load.ts'
import { inAnswerTo } from './process.ts'

export type ExpiryOptions = {
  log: AggregateLog
  signal: AbortSignal
  onFailure(error: unknown): void
  /** Most sessions watched at once. */
  maxWatched?: number
  markEveryMs?: number
}

const NAME = 'expiry'
const LOOK_EVERY_MS = 500
const EXPIRED_AT_ONCE = 16
const MAX_WATCHED = 100_000
const MARK_EVERY_MS = 60_000
const RETRY_AFTER_MS = 1_000
/** Of the mark, in the store's place for snapshots. */
const MARK = 'signing-session-expiry'
const MARK_VERSION = 1

/** Events after which a session has no deadline any more. */
const ENDS = ['SignatureProduced', 'SigningFailed', 'SigningExpired', 'SigningCancelled']

/** `after` is the position of what was read last before it. */
type Watched = { deadline: number; requested: RecordedEvent; after: bigint | undefined }

/**
 * Expires sessions whose deadline has passed, whether or not anybody acts on them. It follows the sessions' streams and keeps those that are open;
 * when there are too many it reads no further until the deadlines of some have passed, so that none is missed. Every coordinator does this
 * for all sessions: whoever is first expires one, and the others find it expired. Now and then it marks up to where all sessions have ended, and after
 * a restart it reads on from there.
 */
export async function runExpiry(options: ExpiryOptions): Promise<void> {
  const open = new Map<string, Watched>()
  const place: Place = { read: undefined, marked: undefined }
  const following = repeated(options, RETRY_AFTER_MS, () => follow(options, open, place))
  const looking = repeated(options, LOOK_EVERY_MS, () => expireDue(options, open))
  const marking = repeated(options, options.markEveryMs ?? MARK_EVERY_MS, () => mark(options.log, open, place))
  await Promise.all([following, looking, marking])
}

/** Positions in the log: everything up to `read` has been read, and up to `marked` the mark says so. */
type Place = { read: bigint | undefined; marked: bigint | undefined }

async function repeated({ signal, onFailure }: ExpiryOptions, everyMs: number, work: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    try {
      await work()
    } catch (error) {
      if (!signal.aborted) onFailure(error)
    }
    await delay(everyMs, undefined, { signal }).catch(() => {})
  }
}

async function follow({ log, signal, maxWatched = MAX_WATCHED }: ExpiryOptions, open: Map<string, Watched>, place: Place): Promise<void> {
  if (place.read === undefined) place.read = place.marked = markedPosition(await log.readSnapshot(MARK))
  for await (const batch of log.subscribe({ after: place.read, prefixes: [SIGNING_SESSION_STREAMS], signal })) {
    for (const message of batch) {
      if (message.kind === 'event') note(open, message.event, place.read)
      if (message.kind === 'event' || message.kind === 'unreadable') place.read = message.event.position
      else if (message.kind === 'checkpoint') place.read = message.position
    }
    while (open.size >= maxWatched && !signal.aborted) await delay(LOOK_EVERY_MS, undefined, { signal })
  }
}

function note(open: Map<string, Watched>, event: RecordedEvent, after: bigint | undefined): void {
  if (event.type === 'SigningRequested') {
    const { sessionId, deadline } = event.data as SigningRequest
    // What was asked for may be long, and is not needed.
    open.set(sessionId, { deadline: Date.parse(deadline), requested: { ...event, data: { sessionId } }, after })
  } else if (ENDS.includes(event.type) || isRejection(event)) open.delete((event.data as { sessionId: string }).sessionId)
}

const isRejection = ({ type, data }: RecordedEvent) => type === 'ApprovalRejected' && (data as { status: string }).status === 'rejected'

async function expireDue({ log, onFailure }: ExpiryOptions, open: Map<string, Watched>): Promise<void> {
  const now = Date.now()
  const due = [...open].filter(([, { deadline }]) => deadline <= now)
  for (let i = 0; i < due.length; i += EXPIRED_AT_ONCE)
    await Promise.all(
      due.slice(i, i + EXPIRED_AT_ONCE).map(async ([sessionId, { requested }]) => {
        try {
          await expire(log, requested)
          open.delete(sessionId)
        } catch (error) {
          onFailure(error)
        }
      }),
    )
}

async function expire(log: AggregateLog, requested: RecordedEvent): Promise<void> {
  const command = (): SigningSessionCommand => ({ type: 'ExpireSession', now: new Date().toISOString() })
  try {
    await execute(log, { decider: signingSession, stream: requested.stream }, command, inAnswerTo(requested, NAME))
  } catch (error) {
    if (!(error instanceof DomainError && error.code === 'session_terminal')) throw error
  }
}

/** Sessions are kept in the order of the log, so that the first of them is what is to be read again. */
async function mark(log: EventLog, open: ReadonlyMap<string, Watched>, place: Place): Promise<void> {
  const [oldest] = open.values()
  const position = oldest ? oldest.after : place.read
  if (position === undefined || (place.marked !== undefined && position <= place.marked)) return
  await log.writeSnapshot(MARK, { version: MARK_VERSION, position: String(position) })
  place.marked = position
}

/** Undefined when there is no mark, or none that this version understands: everything is read. */
function markedPosition(mark: unknown): bigint | undefined {
  if (typeof mark !== 'object' || mark === null) return undefined
  const { version, position } = mark as { version?: unknown; position?: unknown }
  return version === MARK_VERSION && typeof position === 'string' && /^\d+$/.test(position) ? BigInt(position) : undefined
}
