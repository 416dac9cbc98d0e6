import type { GuardedWrite } from '../domain/ports/documents.ts'
import type { Json, JsonObject } from '../domain/ports/event-log.ts'
import { type Projection, type RecordedDomainEvent, touched } from './projection.ts'

const COLLECTION = 'signing_sessions'

/** One document a signing session. */
export const signingSessions: Projection = {
  name: COLLECTION,
  version: 2,
  collections: [COLLECTION],
  indexes: [{ collection: COLLECTION, fields: { keyId: 1, _id: 1 } }],
  acrossStreams: false,
  apply(event) {
    if (!('sessionId' in event.data)) return []
    const create = event.type === 'SigningRequested'
    const { set, push } = changeOf(event)
    const write: GuardedWrite = { collection: COLLECTION, id: event.data.sessionId, create, set: { ...set, ...touched(event) } }
    return [push ? { ...write, push } : write]
  },
}

function changeOf(event: RecordedDomainEvent): { set: JsonObject; push?: { [path: string]: Json } } {
  switch (event.type) {
    case 'SigningRequested': {
      const { authorisation, message: _, ...data } = event.data
      const { method, path, body } = authorisation
      return {
        set: {
          ...(data as unknown as JsonObject),
          // Approvers sign what they have seen, so they are shown it as it was sent.
          ...(data.approvals ? { request: { method, path, body } } : {}),
          status: data.approvals ? 'pending_approval' : 'requested',
          granted: [],
          refused: [],
          signers: [],
          attempt: 0,
          round: null,
          signature: null,
          failure: null,
          createdAt: event.metadata.occurredAt,
        },
      }
    }
    case 'ApprovalGranted':
      return { set: { status: event.data.status }, push: { granted: event.data.approver } }
    case 'ApprovalRejected':
      return { set: { status: event.data.status }, push: { refused: event.data.approver } }
    case 'SigningStarted':
      return { set: { status: 'preparing', attempt: event.data.attempt, signers: event.data.signers, round: null } }
    case 'RoundCompleted': {
      const { round, rounds } = event.data
      return { set: { status: round === rounds ? 'verifying' : 'round', round: { number: round, of: rounds } } }
    }
    case 'SignatureProduced':
      return { set: { status: 'signed', signature: event.data.signature, signers: event.data.signers } }
    case 'SigningFailed':
      return { set: { status: 'failed', failure: { code: event.data.code, culprits: event.data.culprits } } }
    case 'SigningExpired':
      return { set: { status: 'expired', failure: { code: 'expired', culprits: [] } } }
    case 'SigningCancelled':
      return { set: { status: 'cancelled' } }
    default:
      return { set: {} }
  }
}
