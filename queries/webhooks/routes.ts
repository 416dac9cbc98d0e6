import type { WebhookRecords } from '../../domain/ports/webhook-records.ts'
import type { Route } from '../../http/route.ts'
import type { ReadModels } from '../read-model.ts'
import { getWebhook } from './get-webhook.ts'
import { listDeliveries } from './list-deliveries.ts'
import { listWebhooks } from './list-webhooks.ts'

/** What is known of webhooks, and of what they were sent. */
export const webhookQueryRoutes = (models: ReadModels, records: Pick<WebhookRecords, 'readProgress' | 'readAttempts'>): Route[] => [
  listWebhooks(models),
  getWebhook(models, records),
  listDeliveries(models, records),
]
