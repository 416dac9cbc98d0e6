/** A log of its own, and deliverers of webhooks over it. */
import { randomUUID } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import { startEmbeddedEventStore } from '../../adapters/embedded/eventstore/server.ts'
import { connectEventLog } from '../../adapters/eventstore/event-log.ts'
import { webhookRecords } from '../../adapters/eventstore/webhook-records.ts'
import { newIdentity } from '../../adapters/identity/testing/coordinator.ts'
import { webhookSender } from '../../adapters/webhooks/sender.ts'
import { execute } from '../../commands/execute.ts'
import { AUDITED_STREAMS } from '../../domain/audit/canonical-event.ts'
import { withCurrentEvents } from '../../domain/current-events.ts'
import type { EventLog, NewEvent } from '../../domain/ports/event-log.ts'
import type { Identity } from '../../domain/ports/identity.ts'
import type { WebhookRecords } from '../../domain/ports/webhook-records.ts'
import { type RegisteredWebhook, webhookStream } from '../../domain/webhook/events.ts'
import { type Webhook, type WebhookCommand, webhook } from '../../domain/webhook/webhook.ts'
import { STREAMED_PROJECTIONS, shownOf } from '../../projections/streamed.ts'
import { openStreams } from '../../queries/streams/streams.ts'
import { type Deliverer, type DelivererOptions, startDeliverer } from '../deliverer.ts'
import { retriesOf } from '../retries.ts'
import { messageSigner } from '../signed-message.ts'

export type Running = Deliverer & { failures: unknown[]; stop(): Promise<void> }

export type Deliveries = {
  log: EventLog
  records: WebhookRecords
  key: Identity
  /** Starts another instance; retries after 0.05 s, 0.1 s and 0.2 s unless told. */
  deliver(changes?: Partial<DelivererOptions>): Running
  register(url: string, filters?: Partial<RegisteredWebhook>): Promise<string>
  command(webhookId: string, command: WebhookCommand): Promise<Webhook>
  state(webhookId: string): Promise<Webhook>
  /** Freezes and unfreezes a wallet in turn. @returns ids of the events */
  append(walletId: string, count: number, tenant?: string): Promise<string[]>
}

export async function startDeliveries(t: ExecutionContext): Promise<Deliveries> {
  const server = await startEmbeddedEventStore({ port: 0 })
  const storedLog = connectEventLog({ url: server.url })
  const log = withCurrentEvents(storedLog)
  const records = webhookRecords(storedLog)
  const key = newIdentity('key')
  const running: Running[] = []
  t.teardown(async () => {
    await Promise.all(running.map(({ stop }) => stop()))
    await log.close()
    await server.close()
  })
  const command: Deliveries['command'] = async (webhookId, asked) => {
    const id = randomUUID()
    const context = { commandId: id, correlationId: id, causationId: id, actor: 'alice', tenant: 'acme' }
    return (await execute(log, { decider: webhook, stream: webhookStream(webhookId) }, () => asked, context)).state
  }
  return {
    log,
    records,
    key,
    command,
    deliver(changes = {}) {
      const streams = openStreams({ log, prefixes: AUDITED_STREAMS, projections: STREAMED_PROJECTIONS, shown: shownOf })
      const sender = webhookSender({ allowPrivate: true, timeoutMs: 2_000 })
      const stopping = new AbortController()
      const failures: unknown[] = []
      const deliverer = startDeliverer({
        owner: randomUUID(),
        log,
        storedLog,
        streams,
        sender,
        records,
        sign: messageSigner([key]),
        retries: retriesOf([0.05, 0.1, 0.2], 60_000),
        claimMs: 1_000,
        onAttempt: () => {},
        onFailure: (error) => failures.push(error),
        signal: stopping.signal,
        ...changes,
      })
      const stop = async () => {
        stopping.abort()
        await deliverer.ended
        sender.close()
        streams.close()
      }
      const started = { ...deliverer, failures, stop }
      running.push(started)
      return started
    },
    async register(url, filters = {}) {
      const webhookId = randomUUID()
      const all = { projection: null, types: null, wallet: null, description: '' }
      await command(webhookId, { type: 'Register', webhookId, tenant: 'acme', url, ...all, ...filters })
      return webhookId
    },
    state: (webhookId) => command(webhookId, { type: 'CompleteResend', resendId: 'none', delivered: 0, failed: 0 }),
    async append(walletId, count, tenant = 'acme') {
      const events = Array.from({ length: count }, (_, n) => frozen(walletId, n, tenant))
      await log.append(`wallet-${walletId}`, 'any', events)
      return events.map(({ id }) => id)
    },
  }
}

function frozen(walletId: string, n: number, tenant: string): NewEvent {
  return {
    id: randomUUID(),
    type: n % 2 === 0 ? 'WalletFrozen' : 'WalletUnfrozen',
    data: { walletId, reason: `r${n}` },
    metadata: {
      commandId: randomUUID(),
      correlationId: 'c',
      causationId: 'c',
      actor: 'alice',
      tenant,
      occurredAt: new Date().toISOString(),
      schemaVersion: 1,
    },
  }
}
