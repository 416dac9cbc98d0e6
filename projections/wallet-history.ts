import type { Json, JsonObject } from '../domain/ports/event-log.ts'
import type { Projection, RecordedDomainEvent } from './projection.ts'

const COLLECTION = 'wallet_history'

/** Steps of a ceremony, which the key's or the session's own status tells better, and what is made ahead of them. */
const LEFT_OUT = new Set<RecordedDomainEvent['type']>(['CommitmentReceived', 'ShareGenerated', 'RoundCompleted', 'PresignaturesCounted'])

/** Fields of an event worth showing in a list; the rest is in the log. */
const SHOWN = [
  'name',
  'keyId',
  'sessionId',
  'accountId',
  'chain',
  'path',
  'address',
  'scheme',
  'threshold',
  'parties',
  'publicKey',
  'epoch',
  'attempt',
  'partyId',
  'helpers',
  'signers',
  'signature',
  'approver',
  'code',
  'culprits',
  'policy',
  'reason',
  'by',
  'transferId',
  'asset',
  'to',
  'from',
  'amount',
  'status',
  'reserved',
  'released',
  'spent',
  'nonce',
  'version',
  'as',
  'fee',
  'hash',
  'block',
  'was',
  'confirmations',
  'outcome',
  'feePaid',
  'received',
  'rule',
  'depositId',
  'source',
  'webhookId',
  'resendId',
]

/** Ids of what an event is about, beside its wallet. */
const ABOUT = ['keyId', 'sessionId', 'transferId', 'accountId'] as const

/** One document an event, so that no document grows with its wallet. */
export const walletHistory: Projection = {
  name: COLLECTION,
  version: 4,
  collections: [COLLECTION],
  indexes: [{ collection: COLLECTION, fields: { walletId: 1, _id: 1 } }],
  acrossStreams: false,
  apply(event) {
    if (LEFT_OUT.has(event.type)) return []
    const { walletId, ...about } = event.data as { walletId?: string } & { [Id in (typeof ABOUT)[number]]?: string }
    if (walletId === undefined) return []
    const set: JsonObject = {
      walletId,
      tenant: event.metadata.tenant,
      type: event.type,
      at: event.metadata.occurredAt,
      actor: event.metadata.actor,
      stream: event.stream,
      revision: Number(event.revision),
      data: shown(event.data as { [field: string]: Json | undefined }),
    }
    for (const id of ABOUT) if (about[id] !== undefined) set[id] = about[id]
    return [{ collection: COLLECTION, id: historyId(event.position), create: true, set }]
  },
}

/** Zero-padded, so that ids sort as positions do. */
export const historyId = (position: bigint) => position.toString().padStart(20, '0')

/** Of an event's data what anybody may read who may read of its wallet. */
export function shown(data: { [field: string]: Json | undefined }): JsonObject {
  const found: JsonObject = {}
  for (const field of SHOWN) {
    const value = data[field]
    if (value !== undefined) found[field] = value
  }
  return found
}
