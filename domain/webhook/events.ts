/** An address that events of a tenant are sent to as they happen. `null` filters let everything through. */
export type RegisteredWebhook = {
  webhookId: string
  tenant: string
  url: string
  /** Only events that change this read model. */
  projection: string | null
  types: readonly string[] | null
  /** Only events of this wallet. */
  wallet: string | null
  description: string
}

/** Why nothing is sent any more: somebody said so, the receiver answered 410, or nothing has got through for too long. */
export const DISABLED_REASONS = ['by_request', 'gone', 'failing'] as const
export type DisabledReason = (typeof DISABLED_REASONS)[number]

/** Which events are to be sent once more; moments are times (RFC 3339) or positions of the log, both inclusive. */
export type RequestedResend = {
  resendId: string
  from: string | null
  to: string
  types: readonly string[] | null
  /** Only events whose last delivery ended so, as the delivery log has it. */
  status: DeliveryStatus | null
  /** Only this event. */
  eventId: string | null
}

/** How a delivery stands: it has arrived, is tried again later, or was given up. */
export const DELIVERY_STATUSES = ['delivered', 'retrying', 'failed'] as const
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number]

export type WebhookEvent =
  | { type: 'WebhookRegistered'; data: RegisteredWebhook }
  | { type: 'WebhookDisabled'; data: { webhookId: string; reason: DisabledReason } }
  | { type: 'WebhookEnabled'; data: { webhookId: string } }
  | { type: 'WebhookDeleted'; data: { webhookId: string } }
  /** Is itself sent to the webhook, whatever that filters. */
  | { type: 'WebhookTestRequested'; data: { webhookId: string } }
  | { type: 'WebhookResendRequested'; data: RequestedResend & { webhookId: string } }
  | { type: 'WebhookResendCompleted'; data: { webhookId: string; resendId: string; delivered: number; failed: number } }

/** Stream of a webhook's configuration. */
export const webhookStream = (webhookId: string) => `webhook-${webhookId}`
export const WEBHOOK_STREAMS = 'webhook-'
