import type { RecordedEvent } from '../ports/event-log.ts'
import { walletStream } from '../wallet/events.ts'
import { hadHappened, type Moment, timeOf } from './moment.ts'

/** Which events are wanted: those that are all of it. */
export type Selection = {
  readonly from?: Moment
  readonly to?: Moment
  readonly wallet?: string | undefined
  readonly key?: string | undefined
  readonly session?: string | undefined
  readonly party?: string | undefined
  /** Any of these. */
  readonly types?: readonly string[]
  /** Undefined for the platform, which sees all. */
  readonly tenant?: string | undefined
}

export function isSelected(event: RecordedEvent, selection: Selection): boolean {
  const { from, to, wallet, key, session, party, types = [], tenant } = selection
  return (
    (types.length === 0 || types.includes(event.type)) &&
    (tenant === undefined || event.metadata?.tenant === tenant) &&
    (wallet === undefined || isOfWallet(event, wallet)) &&
    (key === undefined || says(event, 'keyId', key)) &&
    (session === undefined || says(event, 'sessionId', session)) &&
    (party === undefined || isAboutParty(event, party)) &&
    hasBegun(event, from) &&
    hadHappened(event, to)
  )
}

/** Whether an event is about the wallet. */
export const isOfWallet = (event: RecordedEvent, walletId: string): boolean =>
  event.stream === walletStream(walletId) || walletNamedIn(event) === walletId

/** The wallet that an event's data name. */
export function walletNamedIn({ data }: Pick<RecordedEvent, 'data'>): string | undefined {
  const { walletId } = (data ?? {}) as { readonly walletId?: unknown }
  return typeof walletId === 'string' ? walletId : undefined
}

const hasBegun = (event: RecordedEvent, from: Moment) =>
  from === undefined || ('position' in from ? event.position >= from.position : timeOf(event) >= from.time)

function says({ data }: RecordedEvent, field: string, value: string): boolean {
  return (data as { readonly [field: string]: unknown } | null | undefined)?.[field] === value
}

/** It is named alone, or among others: as a holder, a signer, a helper, or one to blame. */
function isAboutParty(event: RecordedEvent, party: string): boolean {
  const { parties, signers, helpers, culprits, previous } = (event.data ?? {}) as { readonly [field: string]: unknown }
  const groups = [parties, signers, helpers, culprits, (previous as { culprits?: unknown } | null | undefined)?.culprits]
  return says(event, 'partyId', party) || groups.some((group) => Array.isArray(group) && group.includes(party))
}
