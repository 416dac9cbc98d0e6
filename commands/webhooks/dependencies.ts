import type { CheckWebhookUrl } from '../../domain/ports/webhook-sender.ts'
import type { RouteRequest } from '../../http/route.ts'
import type { AggregateLog } from '../load.ts'

/** What commands about webhooks need from outside. */
export type WebhookDependencies = {
  log: AggregateLog
  /** Read models by which events may be chosen. */
  projections: readonly string[]
  checkUrl: CheckWebhookUrl
  /** Webhooks of the caller's tenant, as far as is known. */
  count(request: Pick<RouteRequest, 'principal' | 'signal'>): Promise<number>
}
