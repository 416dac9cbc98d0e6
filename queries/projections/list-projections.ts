import { route } from '../../http/route.ts'
import { pageOf } from '../shapes.ts'
import type { OperatedProjections } from './operated.ts'
import { PROJECTION, projectionView } from './projection-view.ts'

export const listProjections = ({ models, workers, catalogue }: OperatedProjections) =>
  route({
    method: 'GET',
    path: '/v1/admin/projections',
    tag: 'operations',
    summary: 'The read models: how far each is behind the log, and how its rebuild stands',
    roles: ['operator'],
    platform: true,
    answers: { 200: { description: 'The projections', schema: pageOf(PROJECTION) } },
    async handle() {
      const reports = workers.reports()
      const items = await Promise.all(catalogue.map(async ({ name }) => projectionView(name, await models.store.builds(name), reports)))
      return { status: 200, body: { items, nextCursor: null } }
    },
  })
