import type { Messages } from '../../domain/ports/messages.ts'
import { DELIVERER_SUBJECT, type DelivererReport } from '../../domain/webhook/deliverer-report.ts'
import { integer, known, Malformed } from './shape.ts'

/** Deliverers say how they are every second; one that has missed three is taken to be gone. */
const SILENT_AFTER_MS = 3_500
/** More than a deployment can have: anybody who may publish could make up some. */
const MAX_DELIVERERS = 100

const count = integer(0, Number.MAX_SAFE_INTEGER)
const readReport = known<DelivererReport>({
  webhooks: count,
  waiting: count,
  attempts: known<DelivererReport['attempts']>({ delivered: count, retrying: count, failed: count }),
  latencyMs: count,
})

/** What the deliverers of webhooks say of themselves. */
export type WatchedDeliverers = { reports(): readonly DelivererReport[]; close(): void }

export function watchDeliverers(messages: Pick<Messages, 'subscribe'>): WatchedDeliverers {
  const heard = new Map<string, { at: number; report: DelivererReport }>()
  const forgetSilent = () => {
    for (const [subject, { at }] of heard) if (Date.now() - at > SILENT_AFTER_MS) heard.delete(subject)
  }
  const close = messages.subscribe(`${DELIVERER_SUBJECT}.*`, (payload, subject) => {
    const report = parse(payload)
    forgetSilent()
    if (report && (heard.has(subject) || heard.size < MAX_DELIVERERS)) heard.set(subject, { at: Date.now(), report })
  })
  return {
    reports() {
      forgetSilent()
      return [...heard.values()].map(({ report }) => report)
    },
    close,
  }
}

function parse(payload: Uint8Array): DelivererReport | undefined {
  try {
    return readReport(JSON.parse(new TextDecoder().decode(payload)))
  } catch (error) {
    if (error instanceof Malformed || error instanceof SyntaxError) return undefined
    throw error
  }
}
