import type { DeliveryStatus } from './events.ts'

/** Each deliverer of webhooks speaks on this subject, with a token of its own behind. */
export const DELIVERER_SUBJECT = 'quorate.webhooks'

/** Attempts since its start, by how the delivery stood after them, and the time that they took in all; webhooks that it serves, and streams that wait for them. */
export type DelivererReport = {
  webhooks: number
  waiting: number
  attempts: { readonly [Status in DeliveryStatus]: number }
  latencyMs: number
}
