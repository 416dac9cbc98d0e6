/** A log of its own, and the API with its streams over it. */
import { randomUUID } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import { startEmbeddedEventStore } from '../../../adapters/embedded/eventstore/server.ts'
import { connectEventLog } from '../../../adapters/eventstore/event-log.ts'
import { AUDITED_STREAMS } from '../../../domain/audit/canonical-event.ts'
import { withCurrentEvents } from '../../../domain/current-events.ts'
import type { EventLog, NewEvent } from '../../../domain/ports/event-log.ts'
import { createMetrics } from '../../../http/metrics.ts'
import { type RunningApp, runApp } from '../../../http/testing/running-app.ts'
import { STREAMED_PROJECTIONS, shownOf } from '../../../projections/streamed.ts'
import { type Gate, startGate } from '../../testing/gate.ts'
import { getStream } from '../get-stream.ts'
import { observeStreams } from '../metrics.ts'
import { openStreams, type Streamed, type Streams } from '../streams.ts'

export type StreamedLog = {
  app: RunningApp
  streams: Streams
  log: EventLog
  /** The streams' way to the log. */
  gate: Gate
  /** Subscriptions to the log that were begun so far. */
  subscriptions(): number
  /** Freezes and unfreezes a new wallet in turn. @returns its id */
  append(count: number, options?: { tenant?: string; by?: string }): Promise<string>
}

export async function startStreamedLog(t: ExecutionContext, limits: Streamed['limits'] = {}): Promise<StreamedLog> {
  const server = await startEmbeddedEventStore({ port: 0 })
  const gate = await startGate(server.port)
  const log = connectEventLog({ url: server.url })
  const gated = withCurrentEvents(connectEventLog({ url: server.url.replace(/:\d+/, `:${gate.port}`) }))
  let subscriptions = 0
  const counted: EventLog = {
    ...gated,
    subscribe(options) {
      subscriptions += 1
      return gated.subscribe(options)
    },
  }
  const streams = openStreams({ log: counted, prefixes: AUDITED_STREAMS, projections: STREAMED_PROJECTIONS, shown: shownOf, limits })
  const metrics = createMetrics()
  observeStreams(metrics.registry, streams)
  const app = await runApp(t, [getStream(streams)], { metrics })
  t.teardown(async () => {
    await app.server.close()
    streams.close()
    await Promise.all([log.close(), gated.close()])
    await gate.close()
    await server.close()
  })
  return {
    app,
    streams,
    log,
    gate,
    subscriptions: () => subscriptions,
    async append(count, { tenant = 'acme', by = 'alice' } = {}) {
      const walletId = randomUUID()
      const events = Array.from({ length: count }, (_, n) => frozen(walletId, { n, tenant, by }))
      await log.append(`wallet-${walletId}`, 'any', events)
      return walletId
    },
  }
}

function frozen(walletId: string, { n, tenant, by }: { n: number; tenant: string; by: string }): NewEvent {
  return {
    id: randomUUID(),
    type: n % 2 === 0 ? 'WalletFrozen' : 'WalletUnfrozen',
    data: { walletId, reason: `r${n}`, by },
    metadata: {
      commandId: randomUUID(),
      correlationId: 'c',
      causationId: 'c',
      actor: 'alice',
      tenant,
      occurredAt: '2026-01-01T00:00:00.000Z',
      schemaVersion: 1,
    },
  }
}
