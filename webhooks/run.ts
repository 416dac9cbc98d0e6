/** What one instance sends to one webhook, while it has it. */
import { currentMessage } from '../domain/current-events.ts'
import type { EventLog } from '../domain/ports/event-log.ts'
import type { DeliveryAttempt, ResendProgress, StoredProgress, WebhookRecords } from '../domain/ports/webhook-records.ts'
import type { DisabledReason, RequestedResend } from '../domain/webhook/events.ts'
import type { ExistingWebhook } from '../domain/webhook/webhook.ts'
import type { Entry } from '../queries/streams/cloud-event.ts'
import { reading } from '../queries/streams/reading.ts'
import type { Streams } from '../queries/streams/streams.ts'
import { type Attempted, type Attempting, type AttemptOptions, attemptDelivery } from './attempt.ts'
import { receiverSince } from './receiver.ts'
import { deliveryRecord } from './record.ts'
import { NOTHING_SENT, resend } from './resending.ts'
import { type ReadStream, type Waiting, waitingStreams } from './waiting-streams.ts'
import { pause, wakeUp } from './wake-up.ts'
import { isWanted } from './wanted.ts'

export type RunOptions = Omit<AttemptOptions, 'webhook'> & {
  webhook: ExistingWebhook
  /** The position of its registration: it is sent what happens after. */
  registeredAt: bigint
  /** When it was enabled last, ms since the epoch: what failed before does not count. */
  enabledAt: number
  streams: Pick<Streams, 'log' | 'prefixes' | 'broadcast' | 'entriesOf'>
  /** Events as they are stored. */
  log: Pick<EventLog, 'readStream'>
  records: WebhookRecords
  /** Of this instance, unlike that of any other. */
  owner: string
  /** How long others leave the webhook alone that this one has claimed, after it was last heard of. */
  claimMs: number
  /** Resends that were asked for and are not completed. */
  resends(): readonly RequestedResend[]
  completeResend(resendId: string, sent: Pick<ResendProgress, 'delivered' | 'failed'>): Promise<void>
  disable(reason: DisabledReason): Promise<void>
  onAttempt(attempt: DeliveryAttempt): void
  signal: AbortSignal
}

export type Run = {
  /** Streams that wait for it. */
  waiting(): number
  /** Another resend may have been asked for, or completed. */
  look(): void
  ended: Promise<void>
}

/** While so much waits for a receiver that nothing more is read for it, it is tried again after this time at the latest. */
const PROBE_MS = 5 * 60_000
const STREAM_PAGE = 64
const LIVE_WITHIN_MS = 10_000
const HEARTBEAT_MS = 1_000
const HOLD_OPEN_MS = 2_000
const SAVE_EVERY_MS = 250
/** What is under way when the process is to end. */
const FINISH_WITHIN_MS = 3_000
const UNTIL_WOKEN = Number.POSITIVE_INFINITY

/** The attempt may have arrived or not: it is made again by whoever comes next. */
class CutOff extends Error {}

type Which = Pick<Attempting, 'attempt' | 'since' | 'resendId'>

/** Goes on from what is stored, until the signal aborts. `ended` @throws WrongExpectedRevision when another instance has the webhook, Unavailable */
export function openRun(options: RunOptions, stored: StoredProgress | undefined): Run {
  const { webhook, registeredAt, streams, log, retries } = options
  const { webhookId } = webhook
  const ending = new AbortController()
  /** Outlives the other: what is under way may come to its end. */
  const sending = new AbortController()
  const signal = AbortSignal.any([options.signal, ending.signal])
  const wanted = isWanted(webhook)
  const alarm = wakeUp()
  const failingSince = stored?.progress.failingSince ?? null
  const isEnabledAnew = failingSince !== null && failingSince < options.enabledAt
  const receiver = isEnabledAnew ? receiverSince(null) : receiverSince(failingSince, stored?.progress.leftAloneUntil)
  const resends: { [resendId: string]: ResendProgress } = {}
  for (const [resendId, progress] of Object.entries(stored?.progress.resends ?? {}))
    resends[resendId] = isEnabledAnew ? { ...progress, failing: null } : progress
  const working = new Set<Promise<void>>()
  let attempts = 0
  let through = stored ? BigInt(stored.progress.through) : registeredAt

  const readStream: ReadStream = async (stream, from) => {
    const events = []
    for await (const event of log.readStream(stream, { from, limit: STREAM_PAGE })) events.push(event)
    // What has not been passed yet is taken when it is.
    const passed = events.filter(({ position }) => position <= through)
    const entries = await streams.entriesOf(passed.map((event) => currentMessage({ kind: 'event', event })))
    const isAll = events.length < STREAM_PAGE || passed.length < events.length
    return { entries: entries.filter(wanted), last: passed.at(-1)?.revision, isAll }
  }
  const waiting = waitingStreams(stored?.progress.waiting ?? [], readStream)
  if (isEnabledAnew) waiting.restart()

  const record = deliveryRecord({
    ...options,
    webhookId,
    stored,
    progress: () => ({
      through: String(through),
      failingSince: receiver.failingSince(),
      leftAloneUntil: Number.isFinite(receiver.leftAloneUntil()) ? receiver.leftAloneUntil() : 0,
      waiting: waiting.places(),
      resends: { ...resends },
    }),
    isAtWork: () =>
      attempts > 0 ||
      working.size > 0 ||
      Math.max(waiting.nextDueAt() ?? UNTIL_WOKEN, receiver.leftAloneUntil()) < Date.now() + options.claimMs,
  })

  const attemptClaimed = async (entry: Entry, at: Which) => {
    await record.claim()
    return attemptDelivery(options, { entry, ...at, signal: sending.signal })
  }

  /** @throws CutOff */
  const attempt = async (entry: Entry, at: Which): Promise<Attempted> => {
    attempts += 1
    const attempted = await attemptClaimed(entry, at).finally(() => {
      attempts -= 1
    })
    if (sending.signal.aborted) throw new CutOff()
    if (receiver.note(attempted, Date.now())) waiting.wake(Date.now())
    record.add(attempted.record)
    options.onAttempt(attempted.record)
    return attempted
  }

  /** After the attempt has been noted: whoever enables the webhook again goes on from there. */
  const disableIfDue = async ({ record: { code } }: Attempted) => {
    const since = receiver.failingSince()
    if (code === 'gone') await options.disable('gone')
    else if (since !== null && Date.now() - since >= retries.disableAfterMs) await options.disable('failing')
  }

  const work = async (next: Waiting) => {
    const entry = await waiting.head(next)
    record.touch()
    if (!entry) return
    const attempted = await attempt(entry, { attempt: next.attempts + 1, since: next.since, resendId: null })
    const { status, nextAttemptAt } = attempted.record
    if (status === 'retrying' && nextAttemptAt !== null) waiting.postpone(next, { at: attempted.at, dueAt: Date.parse(nextAttemptAt) })
    else waiting.settle(next)
    await disableIfDue(attempted)
  }

  const begin = (next: Waiting) => {
    next.isBusy = true
    const begun = work(next)
      .catch(fail)
      .finally(() => {
        next.isBusy = false
        working.delete(begun)
        alarm.ring()
      })
    working.add(begun)
  }

  /** Sends what is due, and waits for more to be. */
  const dispatch = async () => {
    while (!signal.aborted) {
      const now = Date.now()
      const hasRoom = working.size < receiver.concurrency()
      const probeAt = waiting.isFull() && working.size === 0 ? receiver.lastAttemptAt() + PROBE_MS : UNTIL_WOKEN
      const dueAt = hasRoom ? Math.max(Math.min(waiting.nextDueAt() ?? UNTIL_WOKEN, probeAt), receiver.leftAloneUntil()) : UNTIL_WOKEN
      const next = dueAt <= now ? waiting.next() : undefined
      if (next) begin(next)
      else await alarm.wait(dueAt - now, signal)
    }
  }

  const follow = async () => {
    while (!signal.aborted) {
      await room(UNTIL_WOKEN)
      await readOn()
    }
  }

  /** Resolves once there is room for more, or the time is up. */
  const room = async (milliseconds: number) => {
    const until = Date.now() + milliseconds
    while (waiting.isFull() && !signal.aborted && Date.now() < until) await alarm.wait(until - Date.now(), signal)
    return !waiting.isFull() && !signal.aborted
  }

  /** Reads the log as it comes, until there has been no room for a while: a subscription is not to be held open that nobody reads. */
  const readOn = async () => {
    const { log, prefixes, entriesOf } = streams
    const joined = streams.broadcast.join()
    try {
      await joined.live(LIVE_WITHIN_MS, signal)
      const shared = { log, prefixes, joined, entriesOf, follow: true, heartbeatMs: HEARTBEAT_MS }
      for await (const read of reading({ ...shared, from: through, wanted, signal })) {
        if (read.kind === 'heartbeat') through = read.through
        else
          for (const entry of read.entries) {
            if (!(await room(HOLD_OPEN_MS))) return
            take(entry)
          }
      }
    } finally {
      joined.leave()
    }
  }

  const take = (entry: Entry) => {
    waiting.take(entry)
    through = entry.position
    record.touch()
    alarm.ring()
  }

  const insist = async (entry: Entry, resendId: string): Promise<boolean> => {
    while (!signal.aborted) {
      const begun = resends[resendId] ?? NOTHING_SENT
      const { failing } = begun
      await pause(Math.max(0, Math.max(failing?.dueAt ?? 0, receiver.leftAloneUntil()) - Date.now()), signal)
      if (signal.aborted) break
      const attempted = await attempt(entry, { attempt: (failing?.attempts ?? 0) + 1, since: failing?.since ?? null, resendId })
      const { status, attempt: attempts, nextAttemptAt } = attempted.record
      if (nextAttemptAt !== null)
        resends[resendId] = { ...begun, failing: { attempts, since: failing?.since ?? attempted.at, dueAt: Date.parse(nextAttemptAt) } }
      await disableIfDue(attempted)
      if (status !== 'retrying') return status === 'delivered'
    }
    return false
  }

  const resendAll = async () => {
    while (!signal.aborted) {
      const [request] = options.resends()
      if (!request) {
        await alarm.wait(UNTIL_WOKEN, signal)
        continue
      }
      const { resendId } = request
      const deliver = (entry: Entry) => insist(entry, resendId)
      const onProgress = (progress: ResendProgress) => {
        resends[resendId] = progress
        record.touch()
      }
      const sent = await resend(request, resends[resendId] ?? NOTHING_SENT, { ...options, webhookId, wanted, deliver, onProgress, signal })
      if (signal.aborted) return
      // Whoever hears that it is complete finds it in the delivery log.
      await record.keep()
      await options.completeResend(resendId, { delivered: sent.delivered, failed: sent.failed })
      while (options.resends()[0]?.resendId === resendId && !signal.aborted) await alarm.wait(UNTIL_WOKEN, signal)
      delete resends[resendId]
      record.touch()
    }
  }

  const keepRecord = async () => {
    while (!signal.aborted) {
      await pause(SAVE_EVERY_MS, signal)
      await record.keep()
    }
  }

  let failure: unknown
  const fail = (error: unknown) => {
    if (signal.aborted) return
    failure = error
    ending.abort()
    sending.abort()
  }

  const run = async () => {
    const tasks = [follow(), dispatch(), resendAll(), keepRecord()].map((task) => task.catch(fail))
    while (!signal.aborted) await alarm.wait(UNTIL_WOKEN, signal)
    const cutOff = setTimeout(() => sending.abort(), FINISH_WITHIN_MS)
    await Promise.all(tasks)
    await Promise.all(working)
    clearTimeout(cutOff)
    if (failure !== undefined) throw failure
    await record.close()
  }

  return { waiting: waiting.size, look: alarm.ring, ended: run() }
}
