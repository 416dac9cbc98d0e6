/** The shapes of the read side, as JSON Schemas: tools of other people rely on every field named here. */
import { PRESIGNATURE_TIERS } from '../domain/authorisation/key-policy.ts'
import { CIRCUIT_STATES } from '../domain/ports/coordinators.ts'
import { SCHEMES } from '../domain/threshold/scheme.ts'
import type { JsonSchema } from '../http/route.ts'
import type { Shape } from './present.ts'

const id = { type: 'string', format: 'uuid' }
const time = { type: 'string', format: 'date-time' }
const revision = { type: 'integer', description: "Of the thing's own stream; the entity tag." }
const position = { type: 'string', pattern: '^\\d+$', description: 'Of the last event in it, in the log of everything.' }
const names = { type: 'array', items: { type: 'string' } }
const hex = (description: string) => ({ type: 'string', pattern: '^([0-9a-f]{2})+$', description })
const scheme = { type: 'string', enum: [...SCHEMES] }

const failure = {
  title: 'Failure',
  type: 'object',
  description: 'Why it came to nothing, and through which parties.',
  required: ['code', 'culprits'],
  properties: { code: { type: 'string' }, culprits: names },
}

const keys = {
  type: 'array',
  items: { type: 'object', description: 'Public JWK (RFC 7517).', required: ['kid', 'kty', 'crv', 'x'], additionalProperties: true },
}

const approvals = {
  type: ['object', 'null'],
  required: ['required', 'approvers'],
  properties: { required: { type: 'integer' }, approvers: { ...names, description: 'By the `kid` of their keys.' } },
}

export const WALLET: Shape = {
  title: 'Wallet',
  type: 'object',
  required: ['walletId', 'tenant', 'name', 'status', 'clientKeys', 'policy', 'keyIds', 'createdAt', 'updatedAt', 'revision', 'position'],
  properties: {
    walletId: id,
    tenant: { type: 'string' },
    name: { type: 'string' },
    status: { type: 'string', enum: ['open', 'frozen'] },
    clientKeys: keys,
    policy: {
      type: 'object',
      required: ['rawDigests'],
      properties: {
        rawDigests: { type: 'boolean' },
        approvals: { type: 'object', required: ['required', 'approvers'], properties: { required: { type: 'integer' }, approvers: keys } },
        presignatures: { type: 'integer', enum: [...PRESIGNATURE_TIERS] },
      },
    },
    keyIds: { type: 'array', items: id, description: 'Keys that can be or could once be signed with.' },
    createdAt: time,
    updatedAt: time,
    revision,
    position,
  },
}

export const KEY_AT_REST = ['active', 'failed', 'revoked'] as const

export const PUBLIC_KEY: Shape = {
  title: 'PublicKey',
  type: 'object',
  required: ['keyId', 'path', 'publicKey'],
  properties: {
    keyId: id,
    path: { type: 'string' },
    publicKey: hex('Ed25519: 32 bytes; BIP-340: x-only, 32 bytes; ECDSA: compressed, 33 bytes.'),
  },
}

export const KEY: Shape = {
  title: 'Key',
  type: 'object',
  required: [
    'keyId',
    'walletId',
    'tenant',
    'scheme',
    'status',
    'threshold',
    'parties',
    'publicKey',
    'epoch',
    'attempt',
    'createdAt',
    'updatedAt',
    'revision',
    'position',
  ],
  properties: {
    keyId: id,
    walletId: id,
    tenant: { type: 'string' },
    scheme,
    status: { type: 'string', enum: ['pending', 'generating', 'refreshing', ...KEY_AT_REST] },
    threshold: { type: 'integer', minimum: 1 },
    parties: names,
    publicKey: {
      ...hex('Ed25519: 32 bytes; BIP-340: x-only, 32 bytes; ECDSA: compressed, 33 bytes. Null until the key is active.'),
      type: ['string', 'null'],
    },
    epoch: { type: 'integer', description: 'Of the shares in force: one more after each refresh.' },
    attempt: { type: 'integer' },
    policyDigest: hex('SHA-256 of the policy that the parties have sealed with their shares when they made the key.'),
    failure,
    refreshFailure: {
      ...failure,
      title: 'RefreshFailure',
      description: 'Why the last refresh came to nothing; the shares of the epoch before are still in force.',
      required: ['epoch', ...failure.required],
      properties: { epoch: { type: 'integer', description: 'That it should have led to.' }, ...failure.properties },
    },
    recovery: {
      title: 'Recovery',
      type: 'object',
      description: 'The last recovery of a lost share.',
      required: ['partyId', 'status'],
      properties: {
        partyId: { type: 'string' },
        status: { type: 'string', enum: ['recovering', 'recovered', 'failed'] },
        failure: { ...failure, type: ['object', 'null'] },
      },
    },
    createdAt: time,
    updatedAt: time,
    revision,
    position,
  },
}

export const SESSION: Shape = {
  title: 'SigningSession',
  type: 'object',
  required: [
    'sessionId',
    'keyId',
    'walletId',
    'tenant',
    'scheme',
    'status',
    'payload',
    'signers',
    'attempt',
    'approvals',
    'granted',
    'refused',
    'deadline',
    'createdAt',
    'updatedAt',
    'revision',
    'position',
  ],
  properties: {
    sessionId: id,
    keyId: id,
    walletId: id,
    tenant: { type: 'string' },
    scheme,
    status: {
      type: 'string',
      enum: ['requested', 'pending_approval', 'preparing', 'round', 'verifying', 'signed', 'failed', 'expired', 'cancelled', 'rejected'],
    },
    payload: { type: 'object', description: 'As it was requested.', required: ['kind'], properties: { kind: { type: 'string' } } },
    request: {
      type: 'object',
      description: 'As the client has sent and signed it, where approvers are asked.',
      required: ['method', 'path', 'body'],
      properties: { method: { type: 'string' }, path: { type: 'string' }, body: { type: 'string' } },
    },
    path: { type: 'string', description: 'From the key to the one that signs.' },
    publicKey: hex('Of the key that signs: at the path.'),
    signature: hex('64 bytes.'),
    recoveryId: { type: 'integer', minimum: 0, maximum: 3, description: 'With ECDSA: which of the keys that it verifies with has signed.' },
    signers: names,
    attempt: { type: 'integer' },
    round: {
      type: 'object',
      description: 'The round completed last.',
      required: ['number', 'of'],
      properties: { number: { type: 'integer' }, of: { type: 'integer' } },
    },
    failure,
    approvals,
    granted: { ...names, description: 'Approvers who agreed.' },
    refused: { ...names, description: 'Approvers who did not.' },
    deadline: time,
    createdAt: time,
    updatedAt: time,
    revision,
    position,
  },
}

export const HISTORY_ITEM: Shape = {
  title: 'HistoryItem',
  type: 'object',
  required: ['walletId', 'type', 'at', 'actor', 'stream', 'revision', 'data', 'position'],
  properties: {
    walletId: id,
    type: { type: 'string', description: 'Of the event.' },
    at: time,
    actor: { type: 'string', description: 'Who or what caused it.' },
    stream: { type: 'string' },
    revision,
    keyId: id,
    sessionId: id,
    data: { type: 'object', description: 'What the event says, in brief.' },
    position,
  },
}

const PARTY_VIEW: Shape = {
  title: 'PartyView',
  type: 'object',
  required: ['coordinatorId', 'circuit', 'openUntil', 'failuresInARow', 'score', 'latencyMs', 'timeoutMs'],
  properties: {
    coordinatorId: { type: 'string' },
    circuit: { type: 'string', enum: [...CIRCUIT_STATES] },
    openUntil: { ...time, type: ['string', 'null'] },
    failuresInARow: { type: 'integer' },
    score: { type: 'number' },
    latencyMs: { type: ['number', 'null'], description: 'Median of its answers of late.' },
    timeoutMs: { type: 'number', description: 'How long its next answer is waited for.' },
  },
}

export const PARTY: Shape = {
  title: 'Party',
  type: 'object',
  required: ['partyId', 'up', 'circuit', 'health', 'coordinators', 'sharesGenerated', 'signatures', 'failures'],
  properties: {
    partyId: { type: 'string' },
    up: { type: 'boolean', description: 'Whether it has been heard of lately.' },
    circuit: {
      type: ['string', 'null'],
      enum: [...CIRCUIT_STATES, null],
      description: 'The worst that any coordinator makes of it; null while none is heard of. This and the next are about this moment.',
    },
    health: { type: ['number', 'null'], description: '0 to 1; the least score that any coordinator gives.' },
    coordinators: { type: 'array', items: PARTY_VIEW, description: 'How each coordinator sees it.' },
    pid: { type: 'integer', description: 'Of its process, on its own machine; this and all that follows as it last said.' },
    startedAt: time,
    version: { type: 'string' },
    vault: { type: 'string', description: 'What keeps its shares.' },
    keysOpen: { type: 'boolean', description: 'Whether its vault opens what it has sealed.' },
    shares: { type: 'integer', description: 'How many it keeps.' },
    openCeremonies: { type: 'integer' },
    fenced: {
      type: 'boolean',
      description: 'Whether it signs nothing until an operator lifts that: its store is older than what it has signed.',
    },
    claimsRefused: {
      type: 'integer',
      description: 'How often since it started it was asked to sign what contradicts an earlier signature.',
    },
    refusedMessages: { type: 'integer', description: 'Since its start: those that nobody in the registry had signed for it.' },
    sharesGenerated: { type: 'integer' },
    signatures: { type: 'integer' },
    failures: { type: 'integer', description: 'Ceremonies that failed through it.' },
    lastShareAt: time,
    lastSignatureAt: time,
    lastFailureAt: time,
    position,
  },
}

/** A page of a list. */
export function pageOf(item: Shape): JsonSchema {
  return {
    title: `${item.title}Page`,
    type: 'object',
    required: ['items', 'nextCursor'],
    properties: {
      items: { type: 'array', items: item },
      nextCursor: { type: ['string', 'null'], description: 'Opaque; null on the last page.' },
    },
  }
}
