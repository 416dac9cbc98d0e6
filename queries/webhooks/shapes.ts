import { DELIVERY_STATUSES, DISABLED_REASONS } from '../../domain/webhook/events.ts'
import type { Shape } from '../present.ts'

const id = { type: 'string', format: 'uuid' }
const time = { type: 'string', format: 'date-time' }
const text = { type: 'string' }
const nullable = { type: ['string', 'null'] }
const position = { type: 'string', pattern: '^\\d+$' }

export const WEBHOOK: Shape = {
  title: 'Webhook',
  type: 'object',
  required: [
    ...['webhookId', 'tenant', 'url', 'projection', 'types', 'wallet', 'description', 'status', 'reason'],
    ...['createdAt', 'updatedAt', 'revision', 'position'],
  ],
  properties: {
    webhookId: id,
    tenant: text,
    url: { type: 'string', format: 'uri' },
    projection: { ...nullable, description: 'Only events that change this read model.' },
    types: { type: ['array', 'null'], items: text },
    wallet: { ...nullable, format: 'uuid' },
    description: text,
    status: { type: 'string', enum: ['enabled', 'disabled'] },
    reason: { type: ['string', 'null'], enum: [...DISABLED_REASONS, null], description: 'Why it is disabled.' },
    createdAt: time,
    updatedAt: time,
    revision: { type: 'integer' },
    position,
    deliveries: {
      title: 'WebhookProgress',
      type: 'object',
      description: 'How far its deliveries are; only of a single webhook.',
      required: ['through', 'waiting', 'failingSince', 'resends'],
      properties: {
        through: { ...position, description: 'Every event up to here has arrived, was given up, or waits.' },
        waiting: { type: 'integer', description: 'Streams of the log with an event that has not arrived.' },
        failingSince: { type: ['string', 'null'], format: 'date-time', description: 'When nothing got through for the first time.' },
        resends: {
          type: 'array',
          description: 'Those under way.',
          items: {
            type: 'object',
            required: ['resendId', 'delivered', 'failed'],
            properties: { resendId: id, delivered: { type: 'integer' }, failed: { type: 'integer' } },
          },
        },
      },
    },
  },
}

export const DELIVERY: Shape = {
  title: 'WebhookDelivery',
  type: 'object',
  required: ['eventId', 'type', 'subject', 'time', 'position', 'status', 'nextAttemptAt', 'attempts'],
  properties: {
    eventId: { ...id, description: 'Of the event; the `webhook-id` of every attempt.' },
    type: text,
    subject: { ...text, description: 'The stream of the log that the event is in.' },
    time: { ...time, description: 'Of the event.' },
    position,
    status: { type: 'string', enum: [...DELIVERY_STATUSES] },
    nextAttemptAt: { type: ['string', 'null'], format: 'date-time' },
    attempts: {
      type: 'array',
      description: 'The latest of them, in their order.',
      items: {
        title: 'WebhookDeliveryAttempt',
        type: 'object',
        required: ['attempt', 'at', 'latencyMs', 'responseStatus', 'code', 'resendId'],
        properties: {
          attempt: { type: 'integer' },
          at: time,
          latencyMs: { type: 'integer' },
          responseStatus: { type: ['integer', 'null'] },
          code: { ...nullable, description: 'Why it failed.' },
          resendId: { ...nullable, format: 'uuid' },
        },
      },
    },
  },
}
