import type { GuardedWrite } from '../domain/ports/documents.ts'
import type { Json, JsonObject } from '../domain/ports/event-log.ts'
import { payloadToStore } from '../domain/signing-session/stored-payload.ts'
import { type Projection, type RecordedDomainEvent, touched } from './projection.ts'
import { shownRequest } from './shown-request.ts'

const COLLECTION = 'signing_sessions'

/** One document a signing session. */
export const signingSessions: Projection = {
  name: COLLECTION,
  version: 3,
  collections: [COLLECTION],
  indexes: [{ collection: COLLECTION, fields: { keyId: 1, _id: 1 } }],
  acrossStreams: false,
  apply(event) {
    if (!('sessionId' in event.data)) return []
    const create = event.type === 'SigningRequested'
    const { set, push } = changeOf(event)
    const write: GuardedWrite = { collection: COLLECTION, id: event.data.sessionId, create, set: Object.assign(set, touched(event)) }
    return [push ? { ...write, push } : write]
  },
}

/** What was signed with, and what is signed: nobody reads them here; and what an object does not take as a field like any other. */
const LEFT_OUT = ['authorisation', 'transfer', 'message', '__proto__']

/** Field by field: to spread an object of this size into another one takes ten times as long. */
function without(data: JsonObject, fields: readonly string[]): JsonObject {
  const rest: JsonObject = {}
  for (const field of Object.keys(data)) if (!fields.includes(field)) rest[field] = data[field]!
  return rest
}

function changeOf(event: RecordedDomainEvent): { set: JsonObject; push?: { [path: string]: Json } } {
  switch (event.type) {
    case 'SigningRequested':
      return {
        set: Object.assign(without(event.data as unknown as JsonObject, LEFT_OUT), {
          payload: payloadToStore(event.data.payload),
          ...(event.data.approvals ? { request: shownRequest(event.data.authorisation) } : {}),
          status: event.data.approvals ? 'pending_approval' : 'requested',
          granted: [],
          refused: [],
          signers: [],
          attempt: 0,
          round: null,
          signature: null,
          failure: null,
          createdAt: event.metadata.occurredAt,
        }),
      }
    case 'ApprovalGranted':
      return { set: { status: event.data.status }, push: { granted: event.data.approver } }
    case 'ApprovalsRevised': {
      const { approvals, granted, refused } = event.data
      return { set: { approvals, granted, refused } }
    }
    case 'ApprovalRejected':
      return { set: { status: event.data.status }, push: { refused: event.data.approver } }
    case 'SigningStarted':
      return { set: { status: 'preparing', attempt: event.data.attempt, signers: event.data.signers, round: null } }
    case 'RoundCompleted': {
      const { round, rounds } = event.data
      return { set: { status: round === rounds ? 'verifying' : 'round', round: { number: round, of: rounds } } }
    }
    case 'SignatureProduced': {
      const { signature, recoveryId = null, signers } = event.data
      return { set: { status: 'signed', signature, recoveryId, signers } }
    }
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
