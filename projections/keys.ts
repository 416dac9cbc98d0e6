import { bytesToHex } from '@noble/hashes/utils.js'
import { encodePolicy, policyDigest } from '../domain/authorisation/key-policy.ts'
import type { JsonObject } from '../domain/ports/event-log.ts'
import { type Projection, type RecordedDomainEvent, touched } from './projection.ts'

const COLLECTION = 'keys'

/** One document a key. */
export const keys: Projection = {
  name: COLLECTION,
  version: 3,
  collections: [COLLECTION],
  indexes: [{ collection: COLLECTION, fields: { walletId: 1, _id: 1 } }],
  acrossStreams: false,
  apply(event) {
    const set = changeOf(event)
    if (!set || !('keyId' in event.data)) return []
    const create = event.type === 'KeyGenerationRequested'
    return [{ collection: COLLECTION, id: event.data.keyId, create, set: { ...set, ...touched(event) } }]
  },
}

function changeOf(event: RecordedDomainEvent): JsonObject | undefined {
  switch (event.type) {
    case 'KeyGenerationRequested': {
      const { keyId, walletId, tenant, scheme, threshold, parties, policy } = event.data
      return {
        keyId,
        walletId,
        tenant,
        scheme,
        threshold,
        parties: parties,
        policyDigest: bytesToHex(policyDigest(encodePolicy(policy))),
        status: 'pending',
        attempt: 0,
        epoch: 0,
        publicKey: null,
        failure: null,
        createdAt: event.metadata.occurredAt,
      }
    }
    case 'KeyGenerationStarted':
      return { status: 'generating', attempt: event.data.attempt }
    case 'KeyGenerationCompleted':
      return { status: 'active', publicKey: event.data.publicKey, publicPackage: event.data.publicPackage, epoch: event.data.epoch }
    case 'KeyGenerationFailed':
      return { status: 'failed', failure: { code: event.data.code, culprits: event.data.culprits } }
    case 'KeyRefreshRequested':
      return { status: 'refreshing', refreshFailure: null }
    case 'KeyRefreshCompleted': {
      const { epoch, attempt, publicPackage } = event.data
      return { status: 'active', epoch, attempt, publicPackage }
    }
    case 'KeyRefreshFailed': {
      const { epoch, code, culprits } = event.data
      return { status: 'active', refreshFailure: { epoch, code, culprits } }
    }
    case 'ShareRecoveryRequested':
      return { recovery: { partyId: event.data.partyId, status: 'recovering', failure: null } }
    case 'ShareRecovered':
      return { recovery: { partyId: event.data.partyId, status: 'recovered', failure: null } }
    case 'ShareRecoveryFailed': {
      const { partyId, code, culprits } = event.data
      return { recovery: { partyId, status: 'failed', failure: { code, culprits } } }
    }
    case 'KeyRevoked':
      return { status: 'revoked', recovery: null }
    default:
      return undefined
  }
}
