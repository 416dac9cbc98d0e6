import 'reflect-metadata'
import { ArrayMaxSize, ArrayMinSize, IsArray, IsOptional, IsString, IsUUID, Matches, MaxLength } from 'class-validator'
import { DomainError } from '../../domain/domain-error.ts'
import { webhookStream } from '../../domain/webhook/events.ts'
import { type WebhookCommand, webhook } from '../../domain/webhook/webhook.ts'
import { Problem } from '../../http/problem.ts'
import { route } from '../../http/route.ts'
import { absent } from '../aggregate.ts'
import { execute } from '../execute.ts'
import { contextOf } from '../request-context.ts'
import type { WebhookDependencies } from './dependencies.ts'

export const EVENT_TYPE = /^[A-Za-z]{1,64}$/

export class RegisterWebhookBody {
  @IsString() @MaxLength(2_000) url!: string

  @IsOptional() @IsString() @Matches(/^[a-z][a-z_]{0,63}$/) projection?: string

  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(100)
  @Matches(EVENT_TYPE, { each: true })
  types?: string[]

  @IsOptional() @IsUUID() wallet?: string

  @IsOptional() @IsString() @MaxLength(500) description?: string
}

/** Of a tenant: each is followed by every deliverer. */
const MAX_WEBHOOKS = 50

export const registerWebhook = ({ log, projections, checkUrl, count }: WebhookDependencies) =>
  route({
    method: 'POST',
    path: '/v1/webhooks',
    tag: 'webhooks',
    summary: 'Have events sent to an address as they happen',
    description:
      'Events of the tenant that pass all filters given: those that change a read model, of these types, of this wallet. Only what happens from now on; what has happened is sent by a resend.',
    roles: ['data', 'operator'],
    body: RegisterWebhookBody,
    answers: {
      201: {
        description: 'It was registered, and is enabled',
        schema: { type: 'object', required: ['webhookId'], properties: { webhookId: { type: 'string', format: 'uuid' } } },
      },
    },
    async handle(request) {
      const { principal, body } = request
      const { url, projection = null, types = null, wallet = null, description = '' } = body
      if (projection !== null && !projections.includes(projection)) {
        const detail = `must be one of ${projections.join(', ')}`
        throw new Problem('validation_failed', `/projection: ${detail}`, {
          errors: [{ pointer: '/projection', code: 'invalid_value', detail }],
        })
      }
      const fault = await checkUrl(url)
      if (fault !== undefined) throw new DomainError('webhook_url_not_allowed', fault, '/url')
      const webhookId = request.commandId
      const register: WebhookCommand = {
        ...{ type: 'Register', webhookId, tenant: principal.tenant, url, projection, types, wallet, description },
      }
      const { position } = await execute(
        log,
        { decider: webhook, stream: webhookStream(webhookId) },
        async () => {
          if ((await count(request)) >= MAX_WEBHOOKS) throw new DomainError('too_many_webhooks', `${MAX_WEBHOOKS} are there already`)
          return register
        },
        contextOf(request, principal.tenant),
        absent(webhook),
      )
      return { status: 201, body: { webhookId }, location: `/v1/webhooks/${webhookId}`, position }
    },
  })
