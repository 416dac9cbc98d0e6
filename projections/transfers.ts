import type { JsonObject } from '../domain/ports/event-log.ts'
import type { MinedTransaction } from '../domain/wallet/transfers/events.ts'
import { type Projection, type RecordedDomainEvent, touched } from './projection.ts'
import { shownRequest } from './shown-request.ts'
import { historyId } from './wallet-history.ts'

const COLLECTION = 'transfers'

/** One document a transfer. */
export const transfers: Projection = {
  name: COLLECTION,
  version: 1,
  collections: [COLLECTION],
  indexes: [
    { collection: COLLECTION, fields: { walletId: 1, place: 1 } },
    { collection: COLLECTION, fields: { walletId: 1, status: 1, place: 1 } },
  ],
  acrossStreams: false,
  apply(event) {
    if (!('transferId' in event.data)) return []
    const create = event.type === 'TransferRequested'
    const { set, push } = changeOf(event)
    const write = { collection: COLLECTION, id: event.data.transferId, create, set: { ...set, ...touched(event) } }
    return [push ? { ...write, push } : write]
  },
}

type Change = { set: JsonObject; push?: { [path: string]: JsonObject | string } }

function changeOf(event: RecordedDomainEvent): Change {
  switch (event.type) {
    case 'TransferRequested': {
      const { authorisation, requestedAt, publicKey: _, psbt: __, address, requires, ...asked } = event.data
      const set = {
        ...asked,
        ...requires,
        from: address,
        tenant: event.metadata.tenant,
        ...(requires.approvals ? { request: shownRequest(authorisation) } : {}),
        granted: [],
        refused: [],
        transactions: [],
        place: historyId(event.position),
        createdAt: requestedAt,
      }
      return { set: set as unknown as JsonObject }
    }
    case 'TransferApproved':
      return { set: { status: event.data.status }, push: { granted: event.data.approver } }
    case 'TransferApprovalRejected':
      return { set: { status: event.data.status }, push: { refused: event.data.approver } }
    case 'TransferApprovalsRevised': {
      const { requires, decision, granted, refused } = event.data
      const status = granted.length >= (requires.approvals?.required ?? 0) ? 'queued' : 'pending_approval'
      return { set: { ...requires, decision, granted, refused, status } as unknown as JsonObject }
    }
    case 'NonceAllocated':
      return { set: { status: 'queued', nonce: event.data.nonce } }
    case 'TransferBuilt': {
      const { version, as, fee, replaces, conflicts, sessionIds } = event.data
      return { set: { status: 'signing', stuck: null }, push: { transactions: { version, as, fee, replaces, conflicts, sessionIds } } }
    }
    case 'TransferSigned':
      return { set: { status: 'signed', stuck: null, hash: event.data.hash } }
    case 'TransferBroadcast':
      return { set: { status: 'broadcasting', stuck: null, hash: event.data.hash } }
    case 'TransferConfirmed': {
      const { status, confirmations, outcome } = event.data
      return { set: { status, confirmations, outcome, stuck: null, ...minedIn(event.data) } }
    }
    case 'TransferReorganised':
      return { set: { status: 'broadcasting', block: null, confirmations: null, outcome: null, reorganisedFrom: event.data.was } }
    case 'TransferReplacementRequested':
      return { set: { replacement: { as: event.data.as, by: event.data.by } } }
    case 'TransferReplacementFailed':
      return { set: { replacement: { as: event.data.as, code: event.data.code } } }
    case 'TransferStuck': {
      const { since, reason } = event.data
      return { set: { status: 'stuck', stuck: { since, reason } } }
    }
    case 'TransferUnstuck':
      return { set: { status: event.data.status, stuck: null } }
    case 'TransferFinalized':
      return {
        set: {
          ...{ status: 'finalized', stuck: null, feePaid: event.data.feePaid, ...minedIn(event.data) },
          ...(event.data.received !== undefined && { received: event.data.received }),
        },
      }
    case 'TransferReverted':
      return { set: { status: 'reverted', stuck: null, feePaid: event.data.feePaid, ...minedIn(event.data) } }
    case 'TransferCancelled': {
      const { by, mined } = event.data
      return { set: { status: 'cancelled', stuck: null, cancelledBy: by, ...(mined && minedIn(mined)) } }
    }
    case 'TransferReplaced':
      return { set: { status: 'replaced', stuck: null, replacedBy: event.data.by } }
    case 'TransferDropped':
      return { set: { status: 'dropped', stuck: null, failure: { code: event.data.reason } } }
    case 'TransferFailed':
      return { set: { status: 'failed', stuck: null, failure: failureOf(event.data) } }
    case 'TransferRejected':
      return { set: { status: 'rejected', failure: failureOf(event.data) } }
    case 'TransferExpired':
      return { set: { status: 'expired', failure: { code: 'expired' } } }
    default:
      return { set: {} }
  }
}

const minedIn = ({ hash, block }: MinedTransaction) => ({ hash, block })

const failureOf = ({ code, rule }: { code: string; rule: string | null }): JsonObject => ({ code, ...(rule !== null && { rule }) })
