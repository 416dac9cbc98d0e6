import { webhookStream } from '../../domain/webhook/events.ts'
import { type WebhookCommand, webhook } from '../../domain/webhook/webhook.ts'
import { route } from '../../http/route.ts'
import { execute } from '../execute.ts'
import { contextOf } from '../request-context.ts'
import { findWebhook } from '../tenancy.ts'
import type { WebhookDependencies } from './dependencies.ts'

type Path = `/v1/webhooks/:webhookId/${string}`
type Change = { path: Path; summary: string; description?: string; command: WebhookCommand }

const changing =
  ({ path, summary, description, command }: Change) =>
  ({ log }: WebhookDependencies) =>
    route<Path>({
      method: 'POST',
      path,
      tag: 'webhooks',
      summary,
      ...(description === undefined ? {} : { description }),
      roles: ['data', 'operator'],
      answers: { 202: { description: 'Done' } },
      async handle(request) {
        const { webhookId } = request.params as { webhookId: string }
        const found = await findWebhook(log, webhookId, request.principal)
        const aggregate = { decider: webhook, stream: webhookStream(webhookId) }
        const { position } = await execute(log, aggregate, () => command, contextOf(request, found.tenant))
        return { status: 202, body: { webhookId }, location: `/v1/webhooks/${webhookId}`, position }
      },
    })

export const disableWebhook = changing({
  path: '/v1/webhooks/:webhookId/disable',
  summary: 'Send nothing more to a webhook',
  description: 'What happens until it is enabled again is sent then.',
  command: { type: 'Disable', reason: 'by_request' },
})

export const enableWebhook = changing({
  path: '/v1/webhooks/:webhookId/enable',
  summary: 'Send to a webhook again, from where it was disabled',
  command: { type: 'Enable' },
})

export const deleteWebhook = changing({
  path: '/v1/webhooks/:webhookId/delete',
  summary: 'Delete a webhook for good',
  command: { type: 'Delete' },
})

export const testWebhook = changing({
  path: '/v1/webhooks/:webhookId/test',
  summary: 'Send an event `WebhookTestRequested` to a webhook, whatever it filters',
  command: { type: 'RequestTest' },
})
