import { randomUUID } from 'node:crypto'
import type { EventLog, EventMetadata, NewEvent, RecordedEvent } from '../../domain/ports/event-log.ts'
import type { DeliveryAttempt, Progress, WebhookRecords } from '../../domain/ports/webhook-records.ts'

const PROGRESS = { prefix: 'webhookProgress-', type: 'WebhookProgress', keep: { $maxCount: 1 } }
const DELIVERIES = { prefix: 'webhookDeliveries-', type: 'DeliveryAttempted', keep: { $maxCount: 5_000, $maxAge: 30 * 24 * 3_600 } }
type Kept = typeof PROGRESS | typeof DELIVERIES

/** Whether an event is such a record, and nothing of the domain. */
export const isWebhookRecord = ({ stream }: { stream: string }) => [PROGRESS, DELIVERIES].some(({ prefix }) => stream.startsWith(prefix))

/** The version of what is stored; anything else is taken for nothing. */
const VERSION = 1

/**
 * Records of webhooks in streams of the event store that keep their newest events only. They are none of the domain: neither read models nor the Merkle tree are
 * made of them.
 */
export function webhookRecords(log: Pick<EventLog, 'append' | 'readStream'>): WebhookRecords {
  const bounded = new Set<string>()

  /** Before the first event: a stream whose bound was not set must not grow for ever. */
  const bind = async ({ prefix, keep }: Kept, webhookId: string) => {
    const stream = `${prefix}${webhookId}`
    if (bounded.has(stream)) return stream
    let isBound = false
    for await (const _ of log.readStream(`$$${stream}`, { limit: 1 })) isBound = true
    if (!isBound) await log.append(`$$${stream}`, 'any', [newEvent('$metadata', keep)])
    bounded.add(stream)
    return stream
  }

  const recorded = async function* <Data>({ prefix }: Kept, webhookId: string): AsyncGenerator<RecordedEvent & { data: Data }> {
    for await (const event of log.readStream(`${prefix}${webhookId}`))
      if (event.metadata.schemaVersion === VERSION) yield event as RecordedEvent & { data: Data }
  }

  return {
    async readProgress(webhookId) {
      let newest: RecordedEvent | undefined
      for await (const event of recorded<Progress>(PROGRESS, webhookId)) newest = event
      return newest && { revision: newest.revision, progress: newest.data as Progress }
    },

    async writeProgress(webhookId, progress, expected) {
      const stream = await bind(PROGRESS, webhookId)
      const { revision } = await log.append(stream, expected ?? 'no_stream', [newEvent(PROGRESS.type, progress)])
      return revision
    },

    async addAttempts(webhookId, attempts) {
      if (attempts.length === 0) return
      const stream = await bind(DELIVERIES, webhookId)
      await log.append(
        stream,
        'any',
        attempts.map((attempt) => newEvent(DELIVERIES.type, attempt)),
      )
    },

    async readAttempts(webhookId) {
      const attempts: DeliveryAttempt[] = []
      for await (const { data } of recorded<DeliveryAttempt>(DELIVERIES, webhookId)) attempts.push(data)
      return attempts
    },
  }
}

function newEvent(type: string, data: object): NewEvent {
  const id = randomUUID()
  const metadata: EventMetadata = {
    commandId: id,
    correlationId: id,
    causationId: id,
    actor: 'webhooks',
    tenant: '*',
    occurredAt: new Date().toISOString(),
    schemaVersion: VERSION,
  }
  return { id, type, data, metadata }
}
