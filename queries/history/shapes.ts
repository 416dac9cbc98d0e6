import type { Shape } from '../present.ts'

const text = { type: 'string' }
const list = { type: 'array', items: { type: 'object' } }

export const LOGGED_EVENT: Shape = {
  title: 'LoggedEvent',
  type: 'object',
  required: ['position', 'stream', 'revision', 'id', 'type', 'recordedAt', 'data', 'metadata'],
  properties: {
    position: text,
    stream: text,
    revision: text,
    id: { type: 'string', format: 'uuid' },
    type: text,
    recordedAt: { type: 'string', format: 'date-time' },
    data: { description: 'As it is stored, in the version of its time.' },
    metadata: { description: 'Who caused it, and why; `occurredAt` is when it was decided.' },
  },
}

export const WALLET_AUDIT: Shape = {
  title: 'WalletAudit',
  type: 'object',
  required: ['wallet', 'keys', 'sessions', 'accounts', 'events', 'position', 'digest'],
  properties: {
    wallet: { type: 'object' },
    keys: list,
    sessions: list,
    accounts: list,
    events: { type: 'integer', description: 'That were read.' },
    position: { type: 'string', description: 'Of the last of them.' },
    digest: { type: 'string', description: 'SHA-256 over their canonical JSON (RFC 8785), each with a newline after it; hex.' },
  },
}
