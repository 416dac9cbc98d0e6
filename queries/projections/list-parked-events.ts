import type { ParkedEvent } from '../../domain/ports/projections.ts'
import { route } from '../../http/route.ts'
import { invalidCursor, PAGE_PARAMETERS, pageSize } from '../page.ts'
import type { Shape } from '../present.ts'
import { pageOf } from '../shapes.ts'
import { type OperatedProjections, PROJECTION_NAME, requireProjection } from './operated.ts'

const PARKED_EVENT: Shape = {
  title: 'ParkedEvent',
  type: 'object',
  required: ['build', 'stream', 'revision', 'position', 'type', 'error', 'parkedAt', 'held', 'retryRequestedAt'],
  properties: {
    build: { type: 'string', description: 'The build that could not apply it: the one that is read from, or the one being made.' },
    stream: { type: 'string' },
    revision: { type: 'string', pattern: '^\\d+$' },
    position: { type: 'string', pattern: '^\\d+$' },
    type: { type: 'string', description: 'Of the event.' },
    error: { type: 'string', description: 'Why it could not be applied; never data of the event.' },
    parkedAt: { type: 'string', format: 'date-time' },
    held: { type: 'integer', description: 'Later events of the stream that wait behind it.' },
    retryRequestedAt: { type: ['string', 'null'], format: 'date-time' },
  },
}

/** Position and build of the last event of the page before. */
const CURSOR = /^(\d{1,20})\.([\w.-]{1,64})$/

export const listParkedEvents = (operated: OperatedProjections) =>
  route({
    method: 'GET',
    path: '/v1/admin/projections/:projection/parked',
    tag: 'operations',
    summary: 'Events that a read model cannot apply; later events of their streams wait behind them, all other streams go on',
    roles: ['operator'],
    platform: true,
    identifiers: { projection: PROJECTION_NAME },
    query: PAGE_PARAMETERS,
    answers: { 200: { description: 'Parked events, in the order of the log', schema: pageOf(PARKED_EVENT) } },
    async handle({ params, query }) {
      const { name } = requireProjection(operated, params.projection)
      const { store } = operated.models
      const { active, building } = await store.builds(name)
      const builds = [active, building].filter((build) => build !== undefined)
      const all = (await Promise.all(builds.map((build) => store.parked(build)))).flat().sort(inOrder)
      const after = query.cursor === undefined ? undefined : cursorFrom(query.cursor)
      const rest = after ? all.filter((event) => inOrder(after, event) < 0) : all
      const page = rest.slice(0, pageSize(query))
      const last = rest.length > page.length ? page.at(-1) : undefined
      return { status: 200, body: { items: page.map(present), nextCursor: last ? cursorOf(last) : null } }
    },
  })

type Place = Pick<ParkedEvent, 'position' | 'build'>

function inOrder(a: Place, b: Place): number {
  const difference = BigInt(a.position) - BigInt(b.position)
  if (difference !== 0n) return difference < 0n ? -1 : 1
  return a.build < b.build ? -1 : a.build > b.build ? 1 : 0
}

function present({ projection: _, retryRequestedAt, ...event }: ParkedEvent): object {
  return { ...event, retryRequestedAt: retryRequestedAt ?? null }
}

const cursorOf = ({ position, build }: Place) => Buffer.from(`${position}.${build}`).toString('base64url')

/** Only what `cursorOf` made is taken. @throws Problem `invalid_cursor` */
function cursorFrom(cursor: string): Place {
  const [, position, build] = CURSOR.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  if (position === undefined || build === undefined || cursorOf({ position, build }) !== cursor) throw invalidCursor()
  return { position, build }
}
