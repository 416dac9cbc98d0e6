import { DomainError } from '../../domain/domain-error.ts'
import type { RecordedEvent } from '../../domain/ports/event-log.ts'
import { SIGNING_SESSION_STREAMS, type SigningRequest } from '../../domain/signing-session/events.ts'
import { type SigningSessionCommand, signingSession } from '../../domain/signing-session/signing-session.ts'
import { execute } from '../execute.ts'
import type { AggregateLog } from '../load.ts'
import { readMarked, repeated } from './marked-reading.ts'
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
const MARK = 'signing-session-expiry'

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
  const { maxWatched = MAX_WATCHED } = options
  const reading = readMarked({
    ...options,
    prefixes: [SIGNING_SESSION_STREAMS],
    mark: MARK,
    note: (event, after) => note(open, event, after),
    // Sessions are kept in the order of the log.
    oldest: () => open.values().next().value,
    isFull: () => open.size >= maxWatched,
  })
  await Promise.all([reading, repeated(options, LOOK_EVERY_MS, () => expireDue(options, open))])
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
