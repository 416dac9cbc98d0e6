/** Keeps every enabled webhook served: which ones there are follows from their events in the log. */
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { execute } from '../commands/execute.ts'
import type { AggregateLog } from '../commands/load.ts'
import { fold } from '../domain/decider.ts'
import type { RecordedEvent } from '../domain/ports/event-log.ts'
import { WEBHOOK_STREAMS, type WebhookEvent, webhookStream } from '../domain/webhook/events.ts'
import { type ExistingWebhook, type Webhook, type WebhookCommand, webhook } from '../domain/webhook/webhook.ts'
import { type Endpoint, type EndpointOptions, startEndpoint } from './endpoint.ts'

export type DelivererOptions = Pick<
  EndpointOptions,
  'streams' | 'records' | 'sender' | 'sign' | 'retries' | 'claimMs' | 'onAttempt' | 'signal'
> & {
  /** Of this instance, unlike that of any other. */
  owner: string
  /** Events in their current versions. */
  log: AggregateLog
  /** Events as they are stored. */
  storedLog: EndpointOptions['log']
  onFailure(error: unknown, webhookId?: string): void
}

export type Deliverer = {
  /** Webhooks that are served, and streams that wait for them. */
  load(): { webhooks: number; waiting: number }
  /** Resolves after the signal has aborted, once everything is stored. */
  ended: Promise<void>
}

const ACTOR = 'webhooks'
const RETRY_AFTER_MS = 1_000

type Served = {
  state: ExistingWebhook
  registeredAt: bigint
  enabledAt: number
  serving: { endpoint: Endpoint; stop: AbortController } | undefined
}

/** Serves until the signal aborts. */
export function startDeliverer(options: DelivererOptions): Deliverer {
  const { log, signal, onFailure } = options
  const known = new Map<string, Served>()
  const ending = new Set<Promise<void>>()
  let isCurrent = false
  let read: bigint | undefined

  const note = (event: RecordedEvent) => {
    const happened = event as unknown as WebhookEvent
    const { webhookId } = happened.data
    const before = known.get(webhookId)
    const initial: Webhook = before?.state ?? webhook.initial
    const state = fold({ ...webhook, initial }, [happened])
    if (state.status === 'absent') return
    const served: Served = before ?? { state, registeredAt: event.position, enabledAt: 0, serving: undefined }
    served.state = state
    if (happened.type === 'WebhookEnabled') served.enabledAt = Date.parse(event.metadata.occurredAt)
    known.set(webhookId, served)
    if (isCurrent) look(served)
  }

  const look = (served: Served) => {
    const { webhookId, status } = served.state
    if (status === 'enabled') {
      if (served.serving) served.serving.endpoint.look()
      else served.serving = serve(served)
      return
    }
    served.serving?.stop.abort()
    served.serving = undefined
    if (status === 'deleted') known.delete(webhookId)
  }

  const serve = (served: Served) => {
    const stop = new AbortController()
    const { webhookId, tenant } = served.state
    const command = async (asked: WebhookCommand) => {
      const id = randomUUID()
      const context = { commandId: id, correlationId: id, causationId: id, actor: ACTOR, tenant }
      await execute(log, { decider: webhook, stream: webhookStream(webhookId) }, () => asked, context)
    }
    const endpoint = startEndpoint({
      ...options,
      log: options.storedLog,
      webhook: served.state,
      registeredAt: served.registeredAt,
      enabledAt: served.enabledAt,
      signal: AbortSignal.any([signal, stop.signal]),
      resends: () => served.state.resends,
      completeResend: (resendId, sent) => command({ type: 'CompleteResend', resendId, ...sent }),
      disable: (reason) => command({ type: 'Disable', reason }),
      onFailure: (error) => onFailure(error, webhookId),
    })
    const ended = endpoint.ended.finally(() => ending.delete(ended))
    ending.add(ended)
    return { endpoint, stop }
  }

  const follow = async () => {
    for await (const batch of log.subscribe({ after: read, prefixes: [WEBHOOK_STREAMS], signal })) {
      for (const message of batch) {
        if (message.kind === 'event') note(message.event)
        if (message.kind === 'event' || message.kind === 'unreadable') read = message.event.position
        if (message.kind !== 'caughtUp' || isCurrent) continue
        isCurrent = true
        for (const served of [...known.values()]) look(served)
      }
    }
  }

  const run = async () => {
    while (!signal.aborted) {
      await follow().catch((error) => signal.aborted || onFailure(error))
      await delay(RETRY_AFTER_MS, undefined, { signal }).catch(() => {})
    }
    await Promise.all(ending)
  }

  return {
    load() {
      const served = [...known.values()].flatMap(({ serving }) => (serving ? [serving.endpoint.waiting()] : []))
      return { webhooks: served.length, waiting: served.reduce((sum, waiting) => sum + waiting, 0) }
    },
    ended: run(),
  }
}
