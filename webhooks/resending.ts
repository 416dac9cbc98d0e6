/** Events that are sent to a webhook once more because somebody has asked for it: one after the other, in the order of the log. */
import { currentMessage } from '../domain/current-events.ts'
import { isBetween, readMoment } from '../domain/history/moment.ts'
import type { EventLog } from '../domain/ports/event-log.ts'
import type { DeliveryAttempt, ResendProgress, WebhookRecords } from '../domain/ports/webhook-records.ts'
import type { RequestedResend } from '../domain/webhook/events.ts'
import type { Entry } from '../queries/streams/cloud-event.ts'
import type { Streams } from '../queries/streams/streams.ts'

export type ResendOptions = {
  webhookId: string
  streams: Pick<Streams, 'log' | 'prefixes' | 'entriesOf'>
  log: Pick<EventLog, 'readStream'>
  records: Pick<WebhookRecords, 'readAttempts'>
  wanted(entry: Entry): boolean
  /** Delivers the event, however many attempts that takes; false when it was given up. */
  deliver(entry: Entry): Promise<boolean>
  onProgress(progress: ResendProgress): void
  signal: AbortSignal
}

export const NOTHING_SENT: ResendProgress = { through: null, delivered: 0, failed: 0, failing: null }

/** Goes on from what has been sent; returns how it stands at the end, or when the signal aborts. @throws Unavailable */
export async function resend(request: RequestedResend, begun: ResendProgress, options: ResendOptions): Promise<ResendProgress> {
  const { deliver, onProgress, signal } = options
  let progress = begun
  const after = begun.through === null ? undefined : BigInt(begun.through)
  for await (const entry of request.status === null ? loggedEntries(request, after, options) : deliveredEntries(request, after, options)) {
    const isDelivered = await deliver(entry)
    if (signal.aborted) break
    const [delivered, failed] = [progress.delivered + Number(isDelivered), progress.failed + Number(!isDelivered)]
    progress = { through: String(entry.position), delivered, failed, failing: null }
    onProgress(progress)
    if (request.eventId !== null) break
  }
  return progress
}

/** Events of the log that the webhook wants, whether it was sent them before or not. */
async function* loggedEntries(request: RequestedResend, after: bigint | undefined, options: ResendOptions): AsyncGenerator<Entry> {
  const { streams, wanted, signal } = options
  const isAsked = asked(request)
  const ended = new AbortController()
  const first = positionOf(request.from)
  const start = after ?? (first === undefined || first === 0n ? undefined : first - 1n)
  const last = positionOf(request.to)
  const subscription = streams.log.subscribe({ after: start, prefixes: streams.prefixes, signal: AbortSignal.any([signal, ended.signal]) })
  try {
    for await (const messages of subscription) {
      for (const entry of await streams.entriesOf(messages)) {
        if (last !== undefined && entry.position > last) return
        if (isAsked(entry) && wanted(entry)) yield entry
      }
      if (messages.some(({ kind }) => kind === 'caughtUp')) return
    }
  } finally {
    ended.abort()
  }
}

/** Events whose last delivery stands as was asked, by the delivery log. */
async function* deliveredEntries(request: RequestedResend, after: bigint | undefined, options: ResendOptions): AsyncGenerator<Entry> {
  const { records, log, streams, webhookId } = options
  const latest = new Map<string, DeliveryAttempt>()
  // An attempt of its own, before it was cut off, does not settle what was asked for.
  for (const attempt of await records.readAttempts(webhookId))
    if (attempt.resendId !== request.resendId) latest.set(attempt.eventId, attempt)
  const isAsked = asked(request)
  const found = [...latest.values()]
    .map((attempt) => ({ ...attempt, id: attempt.eventId, position: BigInt(attempt.position) }))
    .filter((attempt) => attempt.status === request.status && isAsked(attempt) && (after === undefined || attempt.position > after))
    .sort((one, other) => (one.position < other.position ? -1 : 1))
  for (const { stream, revision, id } of found)
    for await (const event of log.readStream(stream, { from: BigInt(revision), limit: 1 }))
      for (const entry of await streams.entriesOf([currentMessage({ kind: 'event', event })])) if (entry.id === id) yield entry
}

type Told = Pick<Entry, 'id' | 'type' | 'time' | 'position'>

function asked({ from, to, types, eventId }: RequestedResend): (told: Told) => boolean {
  const first = from === null ? undefined : readMoment(from)
  const last = readMoment(to)
  return (told) =>
    (eventId === null || told.id === eventId) && (types === null || types.includes(told.type)) && isBetween(told, first, last)
}

function positionOf(moment: string | null): bigint | undefined {
  const read = moment === null ? undefined : readMoment(moment)
  return read && 'position' in read ? read.position : undefined
}
