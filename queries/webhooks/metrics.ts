import { Gauge, type Registry } from 'prom-client'
import type { DelivererReport } from '../../domain/webhook/deliverer-report.ts'
import { DELIVERY_STATUSES } from '../../domain/webhook/events.ts'

/** Registers what the deliverers of webhooks say of themselves, all of them together. */
export function observeWebhooks(registry: Registry, deliverers: { reports(): readonly DelivererReport[] }): void {
  const sum = (value: (report: DelivererReport) => number) => deliverers.reports().reduce((total, report) => total + value(report), 0)
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value())
      },
    })
  gauge('quorate_webhook_deliverers', 'Deliverers of webhooks that were heard of lately.', () => deliverers.reports().length)
  gauge('quorate_webhook_streams_waiting', 'Streams of the log with an event that has not arrived.', () => sum(({ waiting }) => waiting))
  gauge('quorate_webhook_attempt_seconds_sum', 'Time that attempts have taken since the deliverers started.', () =>
    sum(({ latencyMs }) => latencyMs / 1000),
  )
  new Gauge({
    name: 'quorate_webhook_attempts',
    help: 'Attempts since the deliverers started, by how the delivery stood after them.',
    labelNames: ['status'],
    registers: [registry],
    collect() {
      for (const status of DELIVERY_STATUSES)
        this.set(
          { status },
          sum(({ attempts }) => attempts[status]),
        )
    },
  })
}
