import { type RegisteredWebhook, webhookStream } from '../domain/webhook/events.ts'
import { PLATFORM_TENANT } from '../http/route.ts'
import type { Entry } from '../queries/streams/cloud-event.ts'

/** Which events a webhook is sent: those of its tenant that pass its filters, and tests of itself. */
export function isWanted({ webhookId, tenant, projection, types, wallet }: RegisteredWebhook): (entry: Entry) => boolean {
  const own = webhookStream(webhookId)
  return (entry) => {
    if (entry.type === 'WebhookTestRequested') return entry.stream === own
    return (
      (tenant === PLATFORM_TENANT || entry.tenant === tenant) &&
      (projection === null || entry.streams.has(projection)) &&
      (types === null || types.includes(entry.type)) &&
      (wallet === null || entry.walletId === wallet)
    )
  }
}
