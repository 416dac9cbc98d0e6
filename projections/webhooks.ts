import type { JsonObject } from '../domain/ports/event-log.ts'
import { type Projection, type RecordedDomainEvent, touched } from './projection.ts'

const COLLECTION = 'webhooks'

/** One document a webhook; one that was deleted is in no list of its tenant. */
export const webhooks: Projection = {
  name: COLLECTION,
  version: 1,
  collections: [COLLECTION],
  indexes: [{ collection: COLLECTION, fields: { isListed: 1, tenant: 1, _id: 1 } }],
  acrossStreams: false,
  apply(event) {
    const change = changeOf(event)
    if (!change) return []
    const { webhookId, create = false, set } = change
    return [{ collection: COLLECTION, id: webhookId, create, set: { ...set, ...touched(event) } }]
  },
}

type Change = { webhookId: string; create?: true; set: JsonObject }

function changeOf(event: RecordedDomainEvent): Change | undefined {
  switch (event.type) {
    case 'WebhookRegistered': {
      const set = { ...event.data, isListed: true, status: 'enabled', reason: null, createdAt: event.metadata.occurredAt }
      return { webhookId: event.data.webhookId, create: true, set: set as unknown as JsonObject }
    }
    case 'WebhookDisabled':
      return { webhookId: event.data.webhookId, set: { status: 'disabled', reason: event.data.reason } }
    case 'WebhookEnabled':
      return { webhookId: event.data.webhookId, set: { status: 'enabled', reason: null } }
    case 'WebhookDeleted':
      return { webhookId: event.data.webhookId, set: { status: 'deleted', isListed: false } }
    default:
      return undefined
  }
}
