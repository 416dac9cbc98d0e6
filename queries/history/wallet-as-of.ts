import { fold } from '../../domain/decider.ts'
import { hadHappened, type Moment, readMoment, timeOf } from '../../domain/history/moment.ts'
import type { Document } from '../../domain/ports/documents.ts'
import type { EventLog, Json, RecordedEvent } from '../../domain/ports/event-log.ts'
import { type WalletEvent, walletStream } from '../../domain/wallet/events.ts'
import { type ExistingWallet, wallet } from '../../domain/wallet/wallet.ts'
import { noSuch, Problem } from '../../http/problem.ts'
import { PLATFORM_TENANT, type QueryParameter, type RouteRequest } from '../../http/route.ts'

export type PastOptions = {
  /** Events in their current versions. */
  readonly log: Pick<EventLog, 'readStream'>
}

/** What was known of a wallet at a moment, from its own events alone: however long the log is, those are all that is read. */
export type PastWallet = { readonly state: ExistingWallet; readonly document: Document; readonly position: bigint }

export const AS_OF: { readonly asOf: QueryParameter } = {
  asOf: {
    description: 'As it was then: an RFC 3339 time, or a position of the log. It is read from the events, not from the read model.',
    schema: { type: 'string', maxLength: 40 },
  },
}

/** @throws Problem `invalid_parameter` */
export function momentIn(query: RouteRequest['query'], name: string): Moment {
  const text = query[name]
  if (text === undefined) return undefined
  const moment = readMoment(text)
  if (moment) return moment
  const detail = 'must be an RFC 3339 time or a position'
  throw new Problem('invalid_parameter', `${name} ${detail}`, { errors: [{ parameter: name, code: 'invalid_value', detail }] })
}

/** @throws Problem when the caller may not see such a wallet, or there was none yet; EventUnreadable, Unavailable */
export async function walletAsOf(
  { log }: PastOptions,
  { principal, params }: Pick<RouteRequest<'/v1/wallets/:walletId'>, 'principal' | 'params'>,
  moment: Moment,
): Promise<PastWallet> {
  const events: RecordedEvent[] = []
  for await (const event of log.readStream(walletStream(params.walletId))) {
    // Clocks differ: nothing that follows a later event has happened before it.
    if (!hadHappened(event, moment)) break
    events.push(event)
  }
  const state = fold(wallet, events as unknown as readonly WalletEvent[])
  const [first, last] = [events[0], events.at(-1)]
  if (state.status === 'absent' || !first || !last || !(principal.tenant === PLATFORM_TENANT || principal.tenant === state.tenant))
    throw noSuch('walletId')
  const { walletId, tenant, name, status, clientKeys, policy, keyIds } = state
  const shown = { walletId, tenant, name, status, clientKeys, policy, keyIds } as unknown as { [field: string]: Json }
  const document: Document = {
    _id: walletId,
    ...shown,
    createdAt: timestamp(first),
    updatedAt: timestamp(last),
    revision: Number(last.revision),
    position: Number(last.position),
  }
  return { state, document, position: last.position }
}

const timestamp = (event: RecordedEvent) => new Date(timeOf(event)).toISOString()
