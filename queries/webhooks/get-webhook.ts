import type { Progress, WebhookRecords } from '../../domain/ports/webhook-records.ts'
import { noSuch } from '../../http/problem.ts'
import { type RouteRequest, route } from '../../http/route.ts'
import { present } from '../present.ts'
import { type Read, type ReadModels, type ReadRequest, readDocument } from '../read-model.ts'
import { WEBHOOK } from './shapes.ts'

export const getWebhook = (models: ReadModels, records: Pick<WebhookRecords, 'readProgress'>) =>
  route({
    method: 'GET',
    path: '/v1/webhooks/:webhookId',
    tag: 'webhooks',
    summary: 'A webhook, and how far its deliveries are',
    roles: ['data', 'operator'],
    answers: { 200: { description: 'The webhook', schema: WEBHOOK } },
    async handle(request) {
      const { document, asOf } = await readWebhook(models, request)
      const stored = await records.readProgress(document._id)
      const deliveries = stored && { deliveries: shown(stored.progress) }
      return { status: 200, body: { ...present(document, WEBHOOK), ...deliveries }, ...asOf }
    },
  })

/** The webhook, if it is the caller's to see and was not deleted. @throws Problem `webhook_not_found`, `read_model_behind`; Unavailable */
export async function readWebhook(
  models: ReadModels,
  request: ReadRequest & Pick<RouteRequest<'/v1/webhooks/:webhookId'>, 'params'>,
): Promise<Read> {
  const read = await readDocument(models, request, { model: 'webhooks', id: request.params.webhookId, parameter: 'webhookId' })
  if (read.document.status === 'deleted') throw noSuch('webhookId')
  return read
}

const shown = ({ through, waiting, failingSince, resends }: Progress) => ({
  through,
  waiting: waiting.length,
  failingSince: failingSince === null ? null : new Date(failingSince).toISOString(),
  resends: Object.entries(resends).map(([resendId, { delivered, failed }]) => ({ resendId, delivered, failed })),
})
