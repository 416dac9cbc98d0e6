import type { DeliveryAttempt } from '../domain/ports/webhook-records.ts'
import type { SendOutcome, WebhookSender } from '../domain/ports/webhook-sender.ts'
import type { RegisteredWebhook } from '../domain/webhook/events.ts'
import type { Entry } from '../queries/streams/cloud-event.ts'
import { type Retries, waitAfter } from './retries.ts'
import type { SignMessage } from './signed-message.ts'

export type AttemptOptions = {
  webhook: Pick<RegisteredWebhook, 'url'>
  sender: WebhookSender
  sign: SignMessage
  retries: Retries
}

/** Which attempt this is, of which resend it is part, and when the first was, ms since the epoch; null for the first. */
export type Attempting = { entry: Entry; attempt: number; resendId: string | null; since: number | null; signal: AbortSignal }

/** What came of it; `at` in ms since the epoch. */
export type Attempted = { record: DeliveryAttempt; at: number; retryAfterMs: number | undefined }

const HEADERS = { 'content-type': 'application/cloudevents+json', 'user-agent': 'Quorate-Webhooks' }

/** Sends the event once. @throws Unavailable when it cannot be signed */
export async function attemptDelivery(
  { webhook, sender, sign, retries }: AttemptOptions,
  { entry, attempt, resendId, since, signal }: Attempting,
): Promise<Attempted> {
  const begun = new Date()
  const at = begun.getTime()
  const headers = { ...HEADERS, ...(await sign(entry.id, entry.json, begun)) }
  const outcome = await sender.send(webhook.url, headers, entry.json, signal)
  const ended = Date.now()
  const code = faultOf(outcome)
  const isGivenUp = ended - (since ?? ended) >= retries.giveUpAfterMs
  const status = code === null ? 'delivered' : isGivenUp ? 'failed' : 'retrying'
  const record: DeliveryAttempt = {
    eventId: entry.id,
    type: entry.type,
    stream: entry.stream,
    revision: String(entry.revision),
    position: String(entry.position),
    time: entry.time,
    attempt,
    at: begun.toISOString(),
    latencyMs: ended - at,
    status,
    responseStatus: 'status' in outcome ? outcome.status : null,
    code,
    nextAttemptAt: status === 'retrying' ? new Date(ended + waitAfter(retries, attempt)).toISOString() : null,
    resendId,
  }
  return { record, at, retryAfterMs: 'status' in outcome ? outcome.retryAfterMs : undefined }
}

/** Why it does not count as delivered; null when it does. */
function faultOf(outcome: SendOutcome): string | null {
  if ('failure' in outcome) return outcome.failure
  const { status } = outcome
  if (status >= 200 && status < 300) return null
  if (status === 410) return 'gone'
  return status >= 300 && status < 400 ? 'redirected' : 'refused'
}
