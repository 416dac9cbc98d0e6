import 'reflect-metadata'
import { ArrayMaxSize, ArrayMinSize, IsArray, IsIn, IsOptional, IsString, IsUUID, Matches, MaxLength } from 'class-validator'
import { readMoment } from '../../domain/history/moment.ts'
import { DELIVERY_STATUSES, type DeliveryStatus, webhookStream } from '../../domain/webhook/events.ts'
import { type WebhookCommand, webhook } from '../../domain/webhook/webhook.ts'
import { Problem } from '../../http/problem.ts'
import { route } from '../../http/route.ts'
import { execute } from '../execute.ts'
import { contextOf } from '../request-context.ts'
import { findWebhook } from '../tenancy.ts'
import type { WebhookDependencies } from './dependencies.ts'
import { EVENT_TYPE } from './register-webhook.ts'

export class ResendEventsBody {
  @IsOptional() @IsString() @MaxLength(40) from?: string

  @IsOptional() @IsString() @MaxLength(40) to?: string

  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(100)
  @Matches(EVENT_TYPE, { each: true })
  types?: string[]

  @IsOptional() @IsIn(DELIVERY_STATUSES) status?: DeliveryStatus

  @IsOptional() @IsUUID() eventId?: string
}

export const resendEvents = ({ log }: WebhookDependencies) =>
  route({
    method: 'POST',
    path: '/v1/webhooks/:webhookId/resend',
    tag: 'webhooks',
    summary: 'Send events to a webhook once more, or for the first time',
    description:
      'Events that the webhook wants, of these types, from one moment (RFC 3339 time or position) to another, both inclusive, until now without `to`; with `status` those whose last delivery in the delivery log stands so; with `eventId` that one. One of `from`, `status` and `eventId` is needed.',
    roles: ['data', 'operator'],
    body: ResendEventsBody,
    answers: {
      202: {
        description: 'They will be sent, one after the other',
        schema: { type: 'object', required: ['resendId'], properties: { resendId: { type: 'string', format: 'uuid' } } },
      },
    },
    async handle(request) {
      const { webhookId } = request.params
      const { from = null, to, types = null, status = null, eventId = null } = request.body
      requireMoment('from', from ?? undefined)
      requireMoment('to', to)
      if (from === null && status === null && eventId === null) throw invalid('/from', 'is required unless there is a status or an eventId')
      const found = await findWebhook(log, webhookId, request.principal)
      const resendId = request.commandId
      const until = to ?? new Date().toISOString()
      const command: WebhookCommand = { type: 'RequestResend', resendId, from, to: until, types, status, eventId }
      const aggregate = { decider: webhook, stream: webhookStream(webhookId) }
      const { position } = await execute(log, aggregate, () => command, contextOf(request, found.tenant))
      return { status: 202, body: { resendId }, location: `/v1/webhooks/${webhookId}/deliveries`, position }
    },
  })

function requireMoment(field: string, text: string | undefined): void {
  if (text !== undefined && !readMoment(text)) throw invalid(`/${field}`, 'must be an RFC 3339 time, or a position')
}

const invalid = (pointer: string, detail: string) =>
  new Problem('validation_failed', `${pointer}: ${detail}`, { errors: [{ pointer, code: 'invalid_value', detail }] })
