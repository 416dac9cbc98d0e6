import type { Route } from '../../http/route.ts'
import { deleteWebhook, disableWebhook, enableWebhook, testWebhook } from './change-webhook.ts'
import type { WebhookDependencies } from './dependencies.ts'
import { registerWebhook } from './register-webhook.ts'
import { resendEvents } from './resend-events.ts'

/** What can be done to webhooks. */
export const webhookCommandRoutes = (dependencies: WebhookDependencies): Route[] =>
  [registerWebhook, disableWebhook, enableWebhook, deleteWebhook, testWebhook, resendEvents].map((command) => command(dependencies))
