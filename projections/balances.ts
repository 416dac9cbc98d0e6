import { additionOf } from '../domain/account/summed-amounts.ts'
import type { GuardedWrite } from '../domain/ports/documents.ts'
import type { JsonObject } from '../domain/ports/event-log.ts'
import { uuidv5 } from '../domain/uuid.ts'
import type { Funds } from '../domain/wallet/transfers/events.ts'
import { type Projection, type RecordedDomainEvent, touched } from './projection.ts'

const COLLECTION = 'balances'
/** Namespace of the ids of balances: documents that a rebuilt model makes anew have the ids that they had. */
const BALANCE_NAMESPACE = 'a4f4f9c7-2b0d-5e0e-8d57-6c1b8a3e9f12'

/** One document an account and asset, whose figures are sums: `sumOf` tells them. */
export const balances: Projection = {
  name: COLLECTION,
  version: 1,
  collections: [COLLECTION],
  indexes: [{ collection: COLLECTION, fields: { walletId: 1, _id: 1 } }],
  acrossStreams: false,
  apply(event) {
    switch (event.type) {
      case 'FundsReserved':
        return event.data.reserved.map((funds) => moved(event, event.data, funds, { reserved: 1n }))
      case 'FundsReleased':
        return event.data.released.map((funds) => moved(event, event.data, funds, { reserved: -1n }))
      case 'TransferFinalized':
      case 'TransferReverted':
      case 'TransferCancelled':
        return event.data.spent.map((funds) => moved(event, event.data, funds, { settled: -1n, reserved: -1n }))
      case 'DepositDetected':
        return [moved(event, event.data, event.data, { pending: 1n })]
      case 'DepositCredited':
        return [moved(event, event.data, event.data, { settled: 1n, pending: -1n })]
      case 'DepositReverted':
        return [moved(event, event.data, event.data, event.data.was === 'pending' ? { pending: -1n } : { settled: -1n })]
      default:
        return []
    }
  },
}

/** `settled` is what is there, what is reserved included. */
type Figures = { readonly settled?: bigint; readonly reserved?: bigint; readonly pending?: bigint }

/** `signs` says which figures the amount is added to or taken from. */
function moved(
  event: RecordedDomainEvent,
  { walletId, accountId }: { walletId: string; accountId: string },
  { asset, amount }: Funds,
  signs: Figures,
): GuardedWrite {
  const increment: { [path: string]: number } = {}
  for (const [figure, sign] of Object.entries(signs)) Object.assign(increment, additionOf(figure, sign * BigInt(amount)))
  const set: JsonObject = { walletId, accountId, asset, tenant: event.metadata.tenant, ...touched(event) }
  return { collection: COLLECTION, id: uuidv5(`${accountId}/${asset}`, BALANCE_NAMESPACE), create: true, set, increment }
}
