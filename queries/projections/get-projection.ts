import { route } from '../../http/route.ts'
import { type OperatedProjections, PROJECTION_NAME, requireProjection } from './operated.ts'
import { PROJECTION, projectionView } from './projection-view.ts'

export const getProjection = (operated: OperatedProjections) =>
  route({
    method: 'GET',
    path: '/v1/admin/projections/:projection',
    tag: 'operations',
    summary: 'A read model: how far it is behind the log, and how its rebuild stands',
    roles: ['operator'],
    platform: true,
    identifiers: { projection: PROJECTION_NAME },
    answers: { 200: { description: 'The projection', schema: PROJECTION } },
    async handle({ params }) {
      const { name } = requireProjection(operated, params.projection)
      return { status: 200, body: projectionView(name, await operated.models.store.builds(name), operated.workers.reports()) }
    },
  })
