import type { JsonObject } from '../domain/ports/event-log.ts'
import { type Projection, touched } from './projection.ts'

const COLLECTION = 'accounts'

/** One document an account. */
export const accounts: Projection = {
  name: COLLECTION,
  version: 1,
  collections: [COLLECTION],
  indexes: [{ collection: COLLECTION, fields: { walletId: 1, _id: 1 } }],
  acrossStreams: false,
  apply(event) {
    if (event.type !== 'AccountOpened') return []
    const fields: JsonObject = event.data
    const set = { ...fields, createdAt: event.metadata.occurredAt, ...touched(event) }
    return [{ collection: COLLECTION, id: event.data.accountId, create: true, set }]
  },
}
