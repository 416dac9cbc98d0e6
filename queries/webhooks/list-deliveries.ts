import { isBetween } from '../../domain/history/moment.ts'
import type { DeliveryAttempt, WebhookRecords } from '../../domain/ports/webhook-records.ts'
import { DELIVERY_STATUSES } from '../../domain/webhook/events.ts'
import { type QueryParameter, type RouteRequest, route } from '../../http/route.ts'
import { momentIn } from '../history/wallet-as-of.ts'
import { invalidCursor, PAGE_PARAMETERS, pageSize } from '../page.ts'
import type { ReadModels } from '../read-model.ts'
import { pageOf } from '../shapes.ts'
import { readWebhook } from './get-webhook.ts'
import { DELIVERY } from './shapes.ts'

const moment = (description: string): QueryParameter => ({ description, schema: { type: 'string', maxLength: 40 } })

export const listDeliveries = (models: ReadModels, records: Pick<WebhookRecords, 'readAttempts'>) =>
  route({
    method: 'GET',
    path: '/v1/webhooks/:webhookId/deliveries',
    tag: 'webhooks',
    summary: 'What a webhook was sent, and what came of it',
    description: 'By event, the latest in the log first: of the last 5,000 attempts, within 30 days.',
    roles: ['data', 'operator'],
    query: {
      status: { description: 'How the delivery stands.', schema: { type: 'string', enum: DELIVERY_STATUSES } },
      from: moment('Events from this RFC 3339 time, or position, on.'),
      to: moment('Events up to this RFC 3339 time, or position.'),
      type: { description: 'Events of these types, separated by commas.', schema: { type: 'string', maxLength: 1_000 } },
      ...PAGE_PARAMETERS,
    },
    answers: { 200: { description: 'Deliveries', schema: pageOf(DELIVERY) } },
    async handle(request) {
      const { document } = await readWebhook(models, request)
      const { query } = request
      const isAsked = filterOf(query)
      const before = query.cursor === undefined ? undefined : positionFrom(query.cursor)
      const all = deliveriesOf(await records.readAttempts(document._id))
      const rest = all.filter((delivery) => isAsked(delivery) && (before === undefined || delivery.position < before))
      const items = rest.slice(0, pageSize(query))
      const last = rest.length > items.length ? items.at(-1) : undefined
      const shown = items.map(({ position, ...delivery }) => ({ ...delivery, position: String(position) }))
      return { status: 200, body: { items: shown, nextCursor: last ? cursorOf(last.position) : null } }
    },
  })

type Delivery = Pick<DeliveryAttempt, 'eventId' | 'type' | 'time' | 'status' | 'nextAttemptAt'> & {
  subject: string
  position: bigint
  attempts: readonly object[]
}

/** What the attempts come to, by event; the latest event first. */
function deliveriesOf(attempts: readonly DeliveryAttempt[]): Delivery[] {
  const deliveries = new Map<string, Delivery>()
  for (const { eventId, type, stream, time, position, status, nextAttemptAt, ...attempted } of attempts) {
    const { attempt, at, latencyMs, responseStatus, code, resendId } = attempted
    const shown = { attempt, at, latencyMs, responseStatus, code, resendId }
    const before = deliveries.get(eventId)?.attempts ?? []
    const delivery = { eventId, type, subject: stream, time, status, nextAttemptAt, attempts: [...before, shown] }
    deliveries.set(eventId, { ...delivery, position: BigInt(position) })
  }
  return [...deliveries.values()].sort((one, other) => (one.position > other.position ? -1 : 1))
}

/** @throws Problem `invalid_parameter` */
function filterOf(query: RouteRequest['query']): (delivery: Delivery) => boolean {
  const from = momentIn(query, 'from')
  const to = momentIn(query, 'to')
  const types = query.type?.split(',')
  return (delivery) =>
    (query.status === undefined || delivery.status === query.status) &&
    (types === undefined || types.includes(delivery.type)) &&
    isBetween(delivery, from, to)
}

const cursorOf = (position: bigint) => Buffer.from(`deliveries:${position}`).toString('base64url')

/** @throws Problem `invalid_cursor` */
function positionFrom(cursor: string): bigint {
  const position = /^deliveries:(\d{1,20})$/.exec(Buffer.from(cursor, 'base64url').toString())?.[1]
  if (position === undefined || cursorOf(BigInt(position)) !== cursor) throw invalidCursor()
  return BigInt(position)
}
