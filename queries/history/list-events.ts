import { isAudited } from '../../domain/audit/canonical-event.ts'
import type { Moment } from '../../domain/history/moment.ts'
import { isSelected, type Selection } from '../../domain/history/selection.ts'
import { positionBefore } from '../../domain/history/whereabouts.ts'
import type { Documents } from '../../domain/ports/documents.ts'
import { type EventLog, type RecordedEvent, Unavailable } from '../../domain/ports/event-log.ts'
import { PLATFORM_TENANT, type QueryParameter, route } from '../../http/route.ts'
import { invalidCursor, PAGE_PARAMETERS, pageSize } from '../page.ts'
import { pageOf } from '../shapes.ts'
import { LOGGED_EVENT } from './shapes.ts'
import { momentIn } from './wallet-as-of.ts'

/** Events looked at for one page: the answer comes in time, and a page may be short, or empty, though there are more. */
const LOOKED_AT = 5_000
const CURSOR = 'events:'

const uuid = (description: string): QueryParameter => ({ description, schema: { type: 'string', pattern: '^[0-9a-f-]{36}$' } })
const moment = (description: string): QueryParameter => ({ description, schema: { type: 'string', maxLength: 40 } })

export type ListedLog = { readonly log: Pick<EventLog, 'readAll' | 'readStream'>; readonly documents: Pick<Documents, 'get'> }

export const listEvents = (listed: ListedLog) =>
  route({
    method: 'GET',
    path: '/v1/events',
    tag: 'audit',
    summary: 'The log itself, the oldest first',
    description:
      'Each page looks at so many events of the log; there are more as long as `nextCursor` is not null, even if a page is empty.',
    roles: ['auditor'],
    query: {
      from: moment('The first: an RFC 3339 time, or a position; inclusive.'),
      to: moment('The last: an RFC 3339 time, or a position; inclusive.'),
      wallet: uuid('About this wallet.'),
      key: uuid('About this key.'),
      session: uuid('About this signing session.'),
      party: { description: 'About this party.', schema: { type: 'string', maxLength: 64 } },
      type: { description: 'Of this type, or of one of several, with commas between them.', schema: { type: 'string', maxLength: 1_000 } },
      ...PAGE_PARAMETERS,
    },
    answers: { 200: { description: 'Events as they are stored', schema: pageOf(LOGGED_EVENT) } },
    async handle({ query, principal }) {
      const from = momentIn(query, 'from')
      const selection: Selection = {
        ...{ from, to: momentIn(query, 'to'), wallet: query.wallet, key: query.key, session: query.session, party: query.party },
        types: query.type === undefined ? [] : query.type.split(','),
        tenant: principal.tenant === PLATFORM_TENANT ? undefined : principal.tenant,
      }
      const page = (start: Start) => pageFrom(listed.log, start, selection, pageSize(query))
      const { items, next } = await (query.cursor === undefined
        ? firstPage(listed, from, page)
        : page({ after: positionFrom(query.cursor) }))
      return { status: 200, body: { items, nextCursor: next === undefined ? null : cursorOf(next) } }
    },
  })

type Start = { readonly after?: bigint | undefined } | { readonly from: bigint }
type Page = { readonly items: object[]; readonly next: bigint | undefined }

/** A time is looked up. A position is read from, which a store may refuse where no event is: then the read begins a little before. @throws Unavailable */
async function firstPage(listed: ListedLog, from: Moment, page: (start: Start) => Promise<Page>): Promise<Page> {
  if (from === undefined) return page({})
  if ('time' in from) return page({ after: await positionBefore(listed, from) })
  try {
    return await page({ from: from.position })
  } catch (error) {
    if (error instanceof Unavailable) throw error
    return page({ after: await positionBefore(listed, from) })
  }
}

async function pageFrom(log: Pick<EventLog, 'readAll'>, start: Start, selection: Selection, size: number): Promise<Page> {
  const items: object[] = []
  const { to } = selection
  let looked = 0
  let last: bigint | undefined
  for await (const event of log.readAll({ ...start, limit: LOOKED_AT })) {
    looked++
    last = event.position
    if (to && 'position' in to && event.position > to.position) return { items, next: undefined }
    if (isAudited(event) && isSelected(event, selection)) items.push(logged(event))
    if (items.length === size) return { items, next: last }
  }
  return { items, next: looked === LOOKED_AT ? last : undefined }
}

const logged = ({ revision, position, ...event }: RecordedEvent): object => ({
  position: String(position),
  revision: String(revision),
  ...event,
})

const cursorOf = (position: bigint) => Buffer.from(`${CURSOR}${position}`).toString('base64url')

/** @throws Problem `invalid_cursor` */
function positionFrom(cursor: string): bigint {
  const text = Buffer.from(cursor, 'base64url').toString().slice(CURSOR.length)
  if (!/^\d{1,19}$/.test(text) || cursorOf(BigInt(text)) !== cursor) throw invalidCursor()
  return BigInt(text)
}
