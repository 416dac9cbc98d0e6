import { type Build, BuildUnderWay } from '../../domain/ports/projections.ts'
import { answeredOnce } from '../../http/answered-once.ts'
import { Problem } from '../../http/problem.ts'
import { route } from '../../http/route.ts'
import { type OperatedProjections, PROJECTION_NAME, requireProjection } from './operated.ts'

export const rebuildProjection = (operated: OperatedProjections) => {
  const once = answeredOnce()
  return route({
    method: 'POST',
    path: '/v1/admin/projections/:projection/rebuild',
    tag: 'operations',
    summary: 'Build a read model from the log anew, beside the one that is read from',
    description: 'Readers turn to the new build once it has caught up.',
    roles: ['operator'],
    platform: true,
    identifiers: { projection: PROJECTION_NAME },
    answers: {
      202: {
        description: 'Begun',
        schema: {
          title: 'Rebuild',
          type: 'object',
          required: ['projection', 'build', 'version', 'startedAt'],
          properties: {
            projection: { type: 'string' },
            build: { type: 'string' },
            version: { type: 'integer' },
            startedAt: { type: 'string', format: 'date-time' },
          },
        },
      },
    },
    async handle(request) {
      const { name, version } = requireProjection(operated, request.params.projection)
      return once(request, async () => {
        const { id, startedAt } = await begin(operated, name, version)
        operated.alertWorkers()
        return { status: 202, location: `/v1/admin/projections/${name}`, body: { projection: name, build: id, version, startedAt } }
      })
    },
  })
}

/** @throws Problem `rebuild_in_progress` */
async function begin({ models }: OperatedProjections, name: string, version: number): Promise<Build> {
  try {
    return await models.store.begin(name, version)
  } catch (error) {
    if (error instanceof BuildUnderWay) throw new Problem('rebuild_in_progress', `${name} is being rebuilt since ${error.build.startedAt}`)
    throw error
  }
}
