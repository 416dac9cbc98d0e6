import type { Decider } from '../decider.ts'
import { DomainError } from '../domain-error.ts'
import type { DisabledReason, RegisteredWebhook, RequestedResend, WebhookEvent } from './events.ts'

export type Webhook = { status: 'absent' } | ExistingWebhook
export type ExistingWebhook = RegisteredWebhook & {
  status: 'enabled' | 'disabled' | 'deleted'
  /** Why it is disabled. */
  reason: DisabledReason | null
  /** Asked for, and not completed. */
  resends: readonly RequestedResend[]
}

export type WebhookCommand =
  | ({ type: 'Register' } & RegisteredWebhook)
  | { type: 'Disable'; reason: DisabledReason }
  | { type: 'Enable' }
  | { type: 'Delete' }
  | { type: 'RequestTest' }
  | ({ type: 'RequestResend' } & RequestedResend)
  | { type: 'CompleteResend'; resendId: string; delivered: number; failed: number }

/** Resends that may wait for their turn. */
const MAX_RESENDS = 10

/** What is sent where. What came of it is not decided here: that is in the delivery log. */
export const webhook: Decider<Webhook, WebhookCommand, WebhookEvent> = {
  stateVersion: 1,
  initial: { status: 'absent' },

  decide(state, command) {
    if (command.type === 'Register') {
      const { type: _, ...data } = command
      return state.status === 'absent' ? [{ type: 'WebhookRegistered', data }] : []
    }
    const { webhookId, status, resends } = requireWebhook(state)
    switch (command.type) {
      case 'Disable':
        return status === 'disabled' ? [] : [{ type: 'WebhookDisabled', data: { webhookId, reason: command.reason } }]
      case 'Enable':
        return status === 'enabled' ? [] : [{ type: 'WebhookEnabled', data: { webhookId } }]
      case 'Delete':
        return [{ type: 'WebhookDeleted', data: { webhookId } }]
      case 'RequestTest':
        requireEnabled(status)
        return [{ type: 'WebhookTestRequested', data: { webhookId } }]
      case 'RequestResend': {
        requireEnabled(status)
        if (resends.length >= MAX_RESENDS) throw new DomainError('too_many_resends', `${MAX_RESENDS} resends wait for their turn`)
        const { type: _, ...data } = command
        return [{ type: 'WebhookResendRequested', data: { webhookId, ...data } }]
      }
      case 'CompleteResend': {
        const { type: _, ...data } = command
        const isOpen = resends.some(({ resendId }) => resendId === command.resendId)
        return isOpen ? [{ type: 'WebhookResendCompleted', data: { webhookId, ...data } }] : []
      }
    }
  },

  evolve(state, event) {
    if (event.type === 'WebhookRegistered') return { ...event.data, status: 'enabled', reason: null, resends: [] }
    if (state.status === 'absent') return state
    switch (event.type) {
      case 'WebhookDisabled':
        return { ...state, status: 'disabled', reason: event.data.reason }
      case 'WebhookEnabled':
        return { ...state, status: 'enabled', reason: null }
      case 'WebhookDeleted':
        return { ...state, status: 'deleted', resends: [] }
      case 'WebhookResendRequested': {
        const { webhookId: _, ...resend } = event.data
        return { ...state, resends: [...state.resends, resend] }
      }
      case 'WebhookResendCompleted':
        return { ...state, resends: state.resends.filter(({ resendId }) => resendId !== event.data.resendId) }
      default:
        return state
    }
  },
}

/** One that was deleted is not there any more. @throws DomainError `webhook_not_found` */
export function requireWebhook(state: Webhook): ExistingWebhook {
  if (state.status === 'absent' || state.status === 'deleted') throw new DomainError('webhook_not_found', 'no such webhook')
  return state
}

function requireEnabled(status: ExistingWebhook['status']): void {
  if (status !== 'enabled') throw new DomainError('webhook_disabled', 'nothing is sent to it: enable it first')
}
