import type { JsonObject } from '../domain/ports/event-log.ts'
import { type Projection, type RecordedDomainEvent, touched } from './projection.ts'

const COLLECTION = 'wallets'

/** One document a wallet. */
export const wallets: Projection = {
  name: COLLECTION,
  version: 4,
  collections: [COLLECTION],
  indexes: [{ collection: COLLECTION, fields: { tenant: 1, _id: 1 } }],
  acrossStreams: false,
  apply(event) {
    const change = changeOf(event)
    if (!change || !('walletId' in event.data)) return []
    const { create = false, set, push } = change
    return [
      {
        collection: COLLECTION,
        id: event.data.walletId,
        create,
        set: { ...set, ...touched(event) },
        ...(push ? { push } : {}),
      },
    ]
  },
}

type Change = { create?: true; set: JsonObject; push?: { [path: string]: string } }

function changeOf(event: RecordedDomainEvent): Change | undefined {
  switch (event.type) {
    case 'WalletCreated':
      return {
        create: true,
        set: {
          ...(event.data as unknown as JsonObject),
          status: 'open',
          policyVersion: 1,
          keyIds: [],
          createdAt: event.metadata.occurredAt,
        },
      }
    case 'KeyAttached':
      return { set: {}, push: { keyIds: event.data.keyId } }
    case 'PolicyChanged': {
      const { policy, version, clientKeys } = event.data
      return { set: { policy, policyVersion: version, ...(clientKeys && { clientKeys }) } as unknown as JsonObject }
    }
    case 'WalletFrozen':
      return { set: { status: 'frozen' } }
    case 'WalletUnfrozen':
      return { set: { status: 'open' } }
    case 'PersonalDataErased':
      // The document is another one now, though the fields are the same: what was sealed in them does not open any more.
      return { set: {} }
    default:
      return undefined
  }
}
