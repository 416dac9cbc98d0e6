import type { Messages } from '../domain/ports/messages.ts'
import type { DeliveryAttempt } from '../domain/ports/webhook-records.ts'
import { DELIVERER_SUBJECT, type DelivererReport } from '../domain/webhook/deliverer-report.ts'

const EVERY_MS = 1_000

/** Says every second on `quorate.webhooks.<instance>` what this instance has done since its start, and what waits. */
export function reportDeliveries(
  messages: Pick<Messages, 'publish'>,
  instance: string,
  load: () => Pick<DelivererReport, 'webhooks' | 'waiting'>,
): { count(attempt: Pick<DeliveryAttempt, 'status' | 'latencyMs'>): void; close(): void } {
  const attempts = { delivered: 0, retrying: 0, failed: 0 }
  let latencyMs = 0
  const say = () => {
    const report: DelivererReport = { ...load(), attempts, latencyMs }
    messages.publish(`${DELIVERER_SUBJECT}.${instance}`, new TextEncoder().encode(JSON.stringify(report)))
  }
  const timer = setInterval(say, EVERY_MS)
  return {
    count({ status, latencyMs: taken }) {
      attempts[status] += 1
      latencyMs += taken
    },
    close: () => clearInterval(timer),
  }
}
