import type { GuardedWrite } from '../domain/ports/documents.ts'
import type { JsonObject } from '../domain/ports/event-log.ts'
import type { Projection, RecordedDomainEvent } from './projection.ts'

const COLLECTION = 'parties'

/** One document a party: how often it has taken part, and how often it was at fault. */
export const partyStatistics: Projection = {
  name: COLLECTION,
  version: 1,
  collections: [COLLECTION],
  indexes: [],
  acrossStreams: true,
  apply(event) {
    const at = event.metadata.occurredAt
    switch (event.type) {
      case 'ShareGenerated':
        return [count(event.data.partyId, 'sharesGenerated', { lastShareAt: at })]
      case 'SignatureProduced':
        return event.data.signers.map((id) => count(id, 'signatures', { lastSignatureAt: at }))
      default:
        return culpritsOf(event).map((id) => count(id, 'failures', { lastFailureAt: at }))
    }
  },
}

function count(partyId: string, counter: string, set: JsonObject): GuardedWrite {
  return { collection: COLLECTION, id: partyId, create: true, set: { partyId, ...set }, increment: { [counter]: 1 } }
}

function culpritsOf(event: RecordedDomainEvent): readonly string[] {
  switch (event.type) {
    case 'KeyGenerationFailed':
    case 'KeyRefreshFailed':
    case 'ShareRecoveryFailed':
    case 'SigningFailed':
      return event.data.culprits
    case 'SigningStarted':
      return event.data.previous?.culprits ?? []
    default:
      return []
  }
}
