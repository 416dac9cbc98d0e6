import type { Shape } from '../present.ts'

const base64 = (description: string) => ({ type: 'string', pattern: '^[A-Za-z0-9+/]+={0,2}$', description })
const size = { type: 'integer', minimum: 0, description: 'Events in the tree.' }
const note = { type: 'string', description: 'The checkpoint as a signed note (c2sp.org/tlog-checkpoint).' }
const hashes = { type: 'array', items: base64('SHA-256 of a node.'), description: 'Of RFC 6962, section 2.1, from the bottom.' }

export const CHECKPOINT: Shape = {
  title: 'Checkpoint',
  type: 'object',
  required: ['number', 'origin', 'size', 'root', 'previous', 'time', 'note'],
  properties: {
    number: { type: 'integer', minimum: 0, description: 'How many there were before it.' },
    origin: { type: 'string', description: 'Which log, by the name of its key.' },
    size,
    root: base64('Root of the tree.'),
    previous: { ...base64('SHA-256 of the text of the checkpoint before it; null for the first.'), type: ['string', 'null'] },
    time: { type: 'string', format: 'date-time' },
    note,
  },
}

export const LOG_KEY: Shape = {
  title: 'LogKey',
  type: 'object',
  required: ['origin', 'vkey', 'jwk'],
  properties: {
    origin: { type: 'string' },
    vkey: { type: 'string', description: 'As signed notes have it (c2sp.org/signed-note).' },
    jwk: {
      type: 'object',
      required: ['kty', 'crv', 'kid', 'x'],
      properties: { kty: { const: 'OKP' }, crv: { const: 'Ed25519' }, kid: { type: 'string' }, x: { type: 'string' } },
    },
  },
}

export const INCLUSION_PROOF: Shape = {
  title: 'InclusionProof',
  type: 'object',
  required: ['kind', 'leaf', 'index', 'hashes', 'checkpoint'],
  properties: {
    kind: { const: 'inclusion' },
    leaf: {
      type: 'string',
      description: 'The event as canonical JSON (RFC 8785): `{data, id, metadata, revision, stream, type}` as it was stored.',
    },
    index: { type: 'integer', minimum: 0, description: 'How many events are before it in the tree.' },
    hashes,
    checkpoint: note,
  },
}

export const CONSISTENCY_PROOF: Shape = {
  title: 'ConsistencyProof',
  type: 'object',
  required: ['kind', 'from', 'to', 'hashes'],
  properties: { kind: { const: 'consistency' }, from: note, to: note, hashes },
}
