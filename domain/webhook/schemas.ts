import type { EventSchemas } from '../upcasting/event-schema.ts'
import { fields, listOf, oneOf, orNull, text, whole } from '../upcasting/shape.ts'
import { DELIVERY_STATUSES, DISABLED_REASONS, type WebhookEvent } from './events.ts'

/** What the events of a webhook hold, through their versions. */
export const webhookSchemas: EventSchemas<WebhookEvent> = {
  WebhookRegistered: {
    shape: fields({
      webhookId: text,
      tenant: text,
      url: text,
      projection: orNull(text),
      types: orNull(listOf(text)),
      wallet: orNull(text),
      description: text,
    }),
  },
  WebhookDisabled: { shape: fields({ webhookId: text, reason: oneOf(...DISABLED_REASONS) }) },
  WebhookEnabled: { shape: fields({ webhookId: text }) },
  WebhookTestRequested: { shape: fields({ webhookId: text }) },
  WebhookResendRequested: {
    shape: fields({
      webhookId: text,
      resendId: text,
      from: orNull(text),
      to: text,
      types: orNull(listOf(text)),
      status: orNull(oneOf(...DELIVERY_STATUSES)),
      eventId: orNull(text),
    }),
  },
  WebhookResendCompleted: { shape: fields({ webhookId: text, resendId: text, delivered: whole, failed: whole }) },
  WebhookDeleted: { shape: fields({ webhookId: text }) },
}
