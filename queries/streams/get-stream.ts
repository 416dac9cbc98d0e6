import { noSuch, Problem } from '../../http/problem.ts'
import { PLATFORM_TENANT, type RouteRequest, route } from '../../http/route.ts'
import { invalidCursor } from '../page.ts'
import type { Joined } from './broadcast.ts'
import type { Entry } from './cloud-event.ts'
import { BEGINNING, decodeCursor, encodeCursor } from './cursor.ts'
import { chunksOf, FORMATS, type Format } from './formats.ts'
import { reading } from './reading.ts'
import { STREAMED_EVENT } from './shapes.ts'
import type { Streams } from './streams.ts'

const NAME = /^[a-z][a-z_]{0,63}$/
const UUID = '^[\\da-f]{8}-[\\da-f]{4}-[\\da-f]{4}-[\\da-f]{4}-[\\da-f]{12}$'
const LIVE_TIMEOUT_MS = 5_000

export const getStream = (streams: Streams) =>
  route({
    method: 'GET',
    path: '/v1/streams/:projection',
    tag: 'streams',
    summary: 'The events that a read model is made of, or all (`events`), as they come',
    description:
      'In the order of the log, each once, from the cursor on; from the beginning without one. A heartbeat comes at least every 15 s with a cursor that is as good as that of an event.',
    roles: ['data'],
    identifiers: { projection: NAME },
    streams: Object.keys(FORMATS),
    query: {
      cursor: { description: 'Of the last event or heartbeat that was taken.', schema: { type: 'string', maxLength: 256 } },
      wallet: { description: 'Only events of this wallet.', schema: { type: 'string', pattern: UUID } },
      type: {
        description: 'Only events of these types, separated by commas.',
        schema: { type: 'string', pattern: '^[A-Za-z]{1,64}(,[A-Za-z]{1,64})*$' },
      },
      follow: {
        description: 'Whether to stay when everything has been sent that there was at first; when not, a heartbeat is the end.',
        schema: { type: 'string', enum: ['true', 'false'] },
      },
    },
    answers: { 200: { description: 'CloudEvents 1.0, and heartbeats', schema: STREAMED_EVENT } },
    async handle(request) {
      const { params, query, mediaType = '' } = request
      if (!streams.has(params.projection)) throw noSuch('projection')
      const format = FORMATS[mediaType]!
      const wanted = wantedBy(request)
      const follow = query.follow !== 'false'
      const from = await startOf(streams, request)
      const { limits } = streams
      return {
        status: 200,
        stream: {
          mediaType,
          stalledMs: limits.stalledMs,
          endsByItself: !follow,
          onStalled: streams.noteCut,
          begin(outlet) {
            streams.admit(outlet)
            return chunks(streams, { format, wanted, follow, from, outlet })
          },
        },
      }
    },
  })

type Reader = {
  format: Format
  wanted(entry: Entry): boolean
  follow: boolean
  from: bigint
  outlet: { signal: AbortSignal; buffered(): number }
}

async function* chunks(streams: Streams, { format, wanted, follow, from, outlet }: Reader): AsyncGenerator<string> {
  const { log, prefixes, entriesOf, origin, limits } = streams
  const { signal } = outlet
  const joined = streams.broadcast.join()
  try {
    await joined.live(LIVE_TIMEOUT_MS, signal)
    const reads = reading({ log, prefixes, joined, entriesOf, from, wanted, follow, heartbeatMs: limits.heartbeatMs, signal })
    for await (const read of reads) {
      if (read.kind === 'entries') yield* chunksOf(format, read.entries)
      else yield format.heartbeat(cursorAt(await origin.known(), read.through))
    }
  } finally {
    joined.leave()
    streams.dismiss(outlet)
  }
}

const cursorAt = (origin: string | undefined, position: bigint) => (origin === undefined ? undefined : encodeCursor({ origin, position }))

/** Events of other tenants are passed over in silence. */
function wantedBy({ principal: { tenant }, params, query }: RouteRequest<'/v1/streams/:projection', undefined>): Reader['wanted'] {
  const types = query.type === undefined ? undefined : new Set(query.type.split(','))
  return (entry) =>
    (tenant === PLATFORM_TENANT || entry.tenant === tenant) &&
    entry.streams.has(params.projection) &&
    (query.wallet === undefined || entry.walletId === query.wallet) &&
    (types === undefined || types.has(entry.type))
}

/**
 * The position that the cursor stands for.
 * @throws Problem `invalid_cursor`, `cursor_expired` when the log begins otherwise now or does not reach as far; Unavailable
 */
async function startOf(streams: Streams, { query, lastEventId, signal }: Pick<RouteRequest, 'query' | 'lastEventId' | 'signal'>) {
  const given = lastEventId ?? query.cursor
  const origin = await streams.origin.look()
  const joined = streams.broadcast.join()
  try {
    await joined.live(LIVE_TIMEOUT_MS, signal)
    if (given === undefined) return BEGINNING
    const cursor = decodeCursor(given)
    if (!cursor) throw invalidCursor()
    if (cursor.origin !== origin || (await isBeyond(streams, joined, cursor.position))) throw expired(origin)
    return cursor.position
  } finally {
    joined.leave()
  }
}

/** Another process may have delivered what this one has not heard of yet. */
async function isBeyond({ log, prefixes }: Streams, joined: Joined, position: bigint): Promise<boolean> {
  return position > joined.head() && position > ((await log.lastPosition(prefixes)) ?? BEGINNING)
}

function expired(origin: string | undefined): Problem {
  const earliestCursor = cursorAt(origin, BEGINNING)
  return new Problem('cursor_expired', 'it is of another log, or of a time before events were removed: begin again', {
    extensions: earliestCursor === undefined ? {} : { earliestCursor },
  })
}
