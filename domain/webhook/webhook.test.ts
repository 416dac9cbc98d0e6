import test from 'ava'
import { fold } from '../decider.ts'
import { DomainError } from '../domain-error.ts'
import type { WebhookEvent } from './events.ts'
import { type Webhook, type WebhookCommand, webhook } from './webhook.ts'

const register: WebhookCommand = {
  type: 'Register',
  webhookId: 'w',
  tenant: 'acme',
  url: 'https://hooks.example.com',
  projection: null,
  types: null,
  wallet: null,
  description: '',
}
const resend = (resendId: string): WebhookCommand => ({
  ...{ type: 'RequestResend', resendId, from: '0', to: '9', types: null, status: null, eventId: null },
})

function after(...commands: readonly WebhookCommand[]): { state: Webhook; last: readonly WebhookEvent[] } {
  let state: Webhook = webhook.initial
  let last: readonly WebhookEvent[] = []
  for (const command of commands) {
    last = webhook.decide(state, command)
    state = fold({ ...webhook, initial: state }, last)
  }
  return { state, last }
}

test('a webhook is registered once, and is enabled', (t) => {
  t.like(after(register).state, { status: 'enabled', url: 'https://hooks.example.com', resends: [] })
  t.deepEqual(after(register, register).last, [])
})

test('it is disabled with a reason and enabled again; what is so already changes nothing', (t) => {
  const disable: WebhookCommand = { type: 'Disable', reason: 'failing' }
  t.like(after(register, disable).state, { status: 'disabled', reason: 'failing' })
  t.deepEqual(after(register, disable, { type: 'Disable', reason: 'gone' }).last, [])
  t.like(after(register, disable, { type: 'Enable' }).state, { status: 'enabled', reason: null })
  t.deepEqual(after(register, { type: 'Enable' }).last, [])
})

test('one that was deleted, or never was, takes no command', (t) => {
  for (const command of [{ type: 'Enable' }, { type: 'Delete' }, resend('r')] satisfies WebhookCommand[]) {
    t.throws(() => webhook.decide(webhook.initial, command), { instanceOf: DomainError, code: 'webhook_not_found' })
    t.throws(() => after(register, { type: 'Delete' }, command), { instanceOf: DomainError, code: 'webhook_not_found' })
  }
})

test('nothing is asked of one that is disabled', (t) => {
  for (const command of [{ type: 'RequestTest' }, resend('r')] satisfies WebhookCommand[])
    t.throws(() => after(register, { type: 'Disable', reason: 'gone' }, command), { code: 'webhook_disabled' })
})

test('resends wait for their turn, within a bound, and are completed once', (t) => {
  const ten = Array.from({ length: 10 }, (_, n) => resend(`r${n}`))
  t.throws(() => after(register, ...ten, resend('more')), { code: 'too_many_resends' })
  const complete: WebhookCommand = { type: 'CompleteResend', resendId: 'r0', delivered: 3, failed: 1 }
  const { state, last } = after(register, ...ten, complete)
  t.deepEqual(last, [{ type: 'WebhookResendCompleted', data: { webhookId: 'w', resendId: 'r0', delivered: 3, failed: 1 } }])
  t.is((state as { resends: readonly object[] }).resends.length, 9)
  t.deepEqual(after(register, resend('r0'), complete, complete).last, [])
})
