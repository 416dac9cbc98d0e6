import type { Find } from '../../domain/ports/documents.ts'
import { PLATFORM_TENANT, type RouteRequest, route } from '../../http/route.ts'
import { PAGE_PARAMETERS, readPage } from '../page.ts'
import { type ReadModels, readList } from '../read-model.ts'
import { pageOf } from '../shapes.ts'
import { WEBHOOK } from './shapes.ts'

export const listWebhooks = (models: ReadModels) =>
  route({
    method: 'GET',
    path: '/v1/webhooks',
    tag: 'webhooks',
    summary: 'The webhooks of the tenant',
    roles: ['data', 'operator'],
    query: PAGE_PARAMETERS,
    answers: { 200: { description: 'Webhooks, in the order of their ids', schema: pageOf(WEBHOOK) } },
    async handle(request) {
      const where = ofTenant(request.principal.tenant)
      const { page, etag, asOf } = await readPage(models, request, { model: 'webhooks', shape: WEBHOOK, where, direction: 'asc' })
      return { status: 200, body: page, etag, ...asOf }
    },
  })

/** How many webhooks the caller's tenant has; more than a thousand are not counted. @throws Problem `read_model_behind`; Unavailable */
export async function countWebhooks(
  models: ReadModels,
  { principal, signal }: Pick<RouteRequest, 'principal' | 'signal'>,
): Promise<number> {
  const request = { principal, signal, minPosition: undefined, preferWaitSeconds: 0 }
  const where = { isListed: true, tenant: principal.tenant }
  const { found } = await readList(models, request, 'webhooks', { where, by: '_id', direction: 'asc', limit: 1_000 })
  return found.length
}

const ofTenant = (tenant: string): Find['where'] => (tenant === PLATFORM_TENANT ? { isListed: true } : { isListed: true, tenant })
