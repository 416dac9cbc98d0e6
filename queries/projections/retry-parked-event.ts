import { answeredOnce } from '../../http/answered-once.ts'
import { noSuch } from '../../http/problem.ts'
import { route } from '../../http/route.ts'
import { type OperatedProjections, PROJECTION_NAME, requireProjection } from './operated.ts'

const STREAM_NAME = /^[\w-]{1,128}$/

export const retryParkedEvent = (operated: OperatedProjections) => {
  const once = answeredOnce()
  return route({
    method: 'POST',
    path: '/v1/admin/projections/:projection/parked/:stream/retry',
    tag: 'operations',
    summary: 'Try once more to apply a parked event and all that waits behind it',
    roles: ['operator'],
    platform: true,
    identifiers: { projection: PROJECTION_NAME, stream: STREAM_NAME },
    answers: {
      202: {
        description: 'Asked for; the event is parked no more once it has been applied',
        schema: {
          title: 'ParkedEventRetry',
          type: 'object',
          required: ['projection', 'stream', 'builds'],
          properties: {
            projection: { type: 'string' },
            stream: { type: 'string' },
            builds: { type: 'array', items: { type: 'string' }, description: 'Builds in which an event of the stream is parked.' },
          },
        },
      },
    },
    async handle(request) {
      const { projection, stream } = request.params
      const { name } = requireProjection(operated, projection)
      return once(request, async () => {
        const builds = await requestRetries(operated, name, stream)
        if (builds.length === 0) throw noSuch('stream')
        operated.alertWorkers()
        return { status: 202, location: `/v1/admin/projections/${name}/parked`, body: { projection: name, stream, builds } }
      })
    },
  })
}

/** Ids of the builds in which an event of the stream is parked. */
async function requestRetries({ models: { store } }: OperatedProjections, projection: string, stream: string): Promise<string[]> {
  const { active, building } = await store.builds(projection)
  const asked: string[] = []
  for (const build of [active, building]) if (build && (await store.requestRetry(build, stream))) asked.push(build.id)
  return asked
}
