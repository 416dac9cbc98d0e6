/** The shapes of the read side, as JSON Schemas: tools of other people rely on every field named here. */
import { PRESIGNATURE_TIERS } from '../domain/authorisation/key-policy.ts'
import { FEE_LEVELS } from '../domain/ports/chain-node.ts'
import { CIRCUIT_STATES } from '../domain/ports/coordinators.ts'
import { SCHEMES } from '../domain/threshold/scheme.ts'
import { ENDS, STAGES } from '../domain/wallet/transfers/transfer.ts'
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

const policy = {
  type: 'object',
  required: ['rawDigests'],
  properties: {
    rawDigests: { type: 'boolean' },
    approvals: { type: 'object', required: ['required', 'approvers'], properties: { required: { type: 'integer' }, approvers: keys } },
    presignatures: { type: 'integer', enum: [...PRESIGNATURE_TIERS] },
  },
}

export const POLICY: Shape = {
  title: 'WalletPolicy',
  type: 'object',
  required: ['walletId', 'version', 'policy', 'clientKeys', 'revision', 'position'],
  properties: {
    walletId: id,
    version: { type: 'integer', description: 'Counts the policies of the wallet, from 1.' },
    policy,
    clientKeys: keys,
    revision,
    position,
  },
}
/** There when it is so. */
const erased = { type: 'boolean', description: 'What was in it about people has been erased.' }
const unreadable = { type: 'boolean', description: 'The key of what is in it about people is damaged: operators can put it back.' }

export const WALLET: Shape = {
  title: 'Wallet',
  type: 'object',
  required: ['walletId', 'tenant', 'name', 'status', 'clientKeys', 'policy', 'keyIds', 'createdAt', 'updatedAt', 'revision', 'position'],
  properties: {
    walletId: id,
    tenant: { type: 'string' },
    name: { type: ['string', 'null'], description: 'Null when it was erased, or cannot be read.' },
    erased,
    unreadable,
    status: { type: 'string', enum: ['open', 'frozen'] },
    clientKeys: keys,
    policy,
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

export const CHAIN: Shape = {
  title: 'Chain',
  type: 'object',
  required: ['chain', 'name', 'schemes', 'nativeAsset'],
  properties: {
    chain: { type: 'string', description: 'CAIP-2.' },
    name: { type: 'string' },
    schemes: { type: 'array', items: scheme, description: 'Keys of these have addresses there.' },
    nativeAsset: { type: 'string', description: 'CAIP-19.' },
  },
}

export const ACCOUNT: Shape = {
  title: 'Account',
  type: 'object',
  required: [
    'accountId',
    'walletId',
    'tenant',
    'keyId',
    'scheme',
    'chain',
    'path',
    'publicKey',
    'address',
    'createdAt',
    'updatedAt',
    'revision',
    'position',
  ],
  properties: {
    accountId: id,
    walletId: id,
    tenant: { type: 'string' },
    keyId: id,
    scheme,
    chain: { type: 'string', description: 'CAIP-2.' },
    path: { type: 'string', description: 'From the key to the one whose address this is.' },
    publicKey: hex('Of the key at the path: who trusts nobody makes the address of it.'),
    address: { type: 'string' },
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

const amount = (description: string) => ({ type: 'string', pattern: '^-?\\d+$', description: `${description}, in base units.` })

const BLOCK: Shape = {
  title: 'Block',
  type: 'object',
  required: ['height', 'hash'],
  properties: { height: { type: 'string', pattern: '^\\d+$' }, hash: { type: 'string' } },
}

const TRANSACTION: Shape = {
  title: 'TransferTransaction',
  type: 'object',
  required: ['version', 'as', 'fee', 'replaces', 'conflicts', 'sessionIds'],
  properties: {
    version: { type: 'integer', minimum: 1 },
    as: { type: 'string', enum: ['transfer', 'acceleration', 'cancellation'] },
    fee: amount('The most that it can cost'),
    replaces: { type: ['integer', 'null'], description: 'The version whose place it takes.' },
    conflicts: { ...names, description: 'What it uses up, such as a nonce: of two transactions that share one at most one is mined.' },
    sessionIds: { type: 'array', items: id, description: 'In which it is signed, one for each signature that it takes.' },
  },
}

export const TRANSFER_PSBT: Shape = {
  title: 'TransferPsbt',
  type: 'object',
  required: ['transferId', 'version', 'as', 'state', 'psbt'],
  properties: {
    transferId: id,
    version: { type: 'integer', description: 'Of the transactions of the transfer, from 1.' },
    as: { type: 'string', enum: ['transfer', 'acceleration', 'cancellation'] },
    state: { type: 'string', enum: ['unsigned', 'partially_signed', 'final'] },
    psbt: { type: 'string', contentEncoding: 'base64' },
  },
}

export const TRANSFER: Shape = {
  title: 'Transfer',
  type: 'object',
  required: [
    'transferId',
    'walletId',
    'tenant',
    'accountId',
    'keyId',
    'chain',
    'asset',
    'from',
    'to',
    'amount',
    'fee',
    'feeAsset',
    'quotedFee',
    'status',
    'decision',
    'approvals',
    'granted',
    'refused',
    'signers',
    'sessionIds',
    'transactions',
    'confirmations',
    'deadline',
    'createdAt',
    'updatedAt',
    'revision',
    'position',
  ],
  properties: {
    transferId: id,
    walletId: id,
    tenant: { type: 'string' },
    accountId: id,
    keyId: id,
    chain: { type: 'string', description: 'CAIP-2.' },
    asset: { type: 'string', description: 'CAIP-19.' },
    from: { type: 'string', description: 'The address of the account.' },
    to: { type: 'string' },
    amount: amount('What is moved'),
    fee: { type: 'string', enum: [...FEE_LEVELS] },
    maxFee: amount('The most that it may cost'),
    feeAsset: { type: 'string', description: 'CAIP-19: what fees are paid in.' },
    quotedFee: amount('The most that it was said to cost'),
    memo: { type: 'string', description: 'Absent when there is none, or it was erased, or cannot be read.' },
    publicMemo: { type: 'string', description: 'What is written on the chain.' },
    erased,
    unreadable,
    usdCents: { type: 'string', description: 'What the amount was worth when it was asked for; absent when nobody knows.' },
    status: { type: 'string', enum: [...STAGES, ...ENDS] },
    decision: {
      type: 'object',
      description: 'What the policy said of it, and why.',
      required: ['outcome', 'findings', 'requires'],
      properties: {
        outcome: { type: 'string', enum: ['allowed', 'denied'] },
        findings: { type: 'array', items: { type: 'object', additionalProperties: true } },
        requires: { type: 'object', additionalProperties: true },
      },
    },
    approvals,
    granted: { ...names, description: 'Approvers who agreed.' },
    refused: { ...names, description: 'Approvers who did not.' },
    request: {
      type: 'object',
      description: 'As the client has sent and signed it, where approvers are asked.',
      required: ['method', 'path', 'body'],
      properties: { method: { type: 'string' }, path: { type: 'string' }, body: { type: 'string' } },
    },
    signers: { type: 'integer', description: 'How many parties sign; as many as the threshold of the key if that is more.' },
    notBefore: { ...time, description: 'It is not signed earlier.' },
    nonce: { type: 'string', pattern: '^\\d+$', description: 'On chains that count the transactions of an account.' },
    sessionIds: { type: 'array', items: id, description: 'Those of all its transactions.' },
    transactions: { type: 'array', items: TRANSACTION, description: 'Those made for it, in their order.' },
    hash: { type: 'string', description: 'What the chain calls its transaction, the last one signed or the one that was mined.' },
    block: { ...BLOCK, description: 'That it was mined in.' },
    confirmations: { type: 'integer', description: 'When they were last written down; 0 while it is in no block.' },
    outcome: { type: 'string', enum: ['succeeded', 'reverted'] },
    feePaid: amount('What it has cost'),
    received: amount('What has come to the destination, where the contract of a token decides on that'),
    reorganisedFrom: { ...BLOCK, description: 'A block it was in that is not in the chain any more.' },
    replacement: {
      type: 'object',
      description: 'What was asked for last in place of its transaction.',
      required: ['as'],
      properties: { as: { type: 'string', enum: ['acceleration', 'cancellation'] }, by: { type: 'string' }, code: { type: 'string' } },
    },
    replacedBy: { type: 'string', description: 'The transaction of somebody else that was mined in its place.' },
    cancelledBy: { type: 'string' },
    stuck: {
      type: 'object',
      required: ['since', 'reason'],
      properties: { since: time, reason: { type: 'string' } },
    },
    failure: {
      title: 'TransferFailure',
      type: 'object',
      required: ['code'],
      properties: { code: { type: 'string' }, rule: { type: 'string', description: 'Of the policy.' } },
    },
    deadline: { ...time, description: 'Until when it has to be approved and signed.' },
    createdAt: time,
    updatedAt: time,
    revision,
    position,
  },
}

export const BALANCE: Shape = {
  title: 'Balance',
  type: 'object',
  required: ['accountId', 'walletId', 'chain', 'asset', 'available', 'reserved', 'pending', 'updatedAt', 'position'],
  properties: {
    accountId: id,
    walletId: id,
    chain: { type: 'string', description: 'CAIP-2.' },
    asset: { type: 'string', description: 'CAIP-19.' },
    available: amount('What can be moved'),
    reserved: amount('What is set aside for transfers under way'),
    pending: amount('What has come in and is not confirmed'),
    owed: amount(
      'What is missing for what is reserved, since a deposit was undone by a reorganisation after it had been credited; absent while nothing is',
    ),
    updatedAt: time,
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
    transferId: id,
    accountId: id,
    data: { type: 'object', description: 'What the event says, in brief.' },
    erased,
    unreadable,
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
    unwrittenBans: {
      type: 'integer',
      description: 'How many counterparties it has banned from a key without being able to write it down: a restart would forget them.',
    },
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
