import { bytesToBase64 } from '../../domain/audit/base64.ts'
import { readCheckpointText } from '../../domain/audit/checkpoint.ts'
import { keyIdOf, readNote, readVkey } from '../../domain/audit/signed-note.ts'
import { newestCheckpoints, type StoredCheckpoint } from '../../domain/audit/tree-documents.ts'
import { bytesToBase64url } from '../../domain/authorisation/base64url.ts'
import { route } from '../../http/route.ts'
import { invalidCursor, PAGE_PARAMETERS, pageSize } from '../page.ts'
import { pageOf } from '../shapes.ts'
import { type Audited, requireCheckpoint } from './audited.ts'
import { CHECKPOINT, LOG_KEY } from './shapes.ts'

export const listCheckpoints = ({ documents }: Audited) =>
  route({
    method: 'GET',
    path: '/v1/checkpoints',
    tag: 'proofs',
    summary: 'What was signed of the log, the newest first',
    roles: ['auditor'],
    query: PAGE_PARAMETERS,
    answers: { 200: { description: 'Checkpoints', schema: pageOf(CHECKPOINT) } },
    async handle({ query }) {
      const limit = pageSize(query)
      const found = await newestCheckpoints(documents, limit + 1, query.cursor === undefined ? undefined : sizeFrom(query.cursor))
      const items = found.slice(0, limit)
      const last = found.length > limit ? items.at(-1) : undefined
      return { status: 200, body: { items: items.map(presented), nextCursor: last ? cursorOf(last.size) : null } }
    },
  })

export const getLatestCheckpoint = (audited: Audited) =>
  route({
    method: 'GET',
    path: '/v1/checkpoints/latest',
    tag: 'proofs',
    summary: 'What was signed last of the log',
    description: 'Kept elsewhere, its `note` holds the log to what it is now: `npm run verify -- --witness` takes it.',
    roles: ['auditor'],
    answers: { 200: { description: 'The checkpoint', schema: CHECKPOINT } },
    async handle() {
      const checkpoint = await requireCheckpoint(audited)
      return { status: 200, body: presented(checkpoint), etag: String(checkpoint.size) }
    },
  })

export const getLogKey = (audited: Audited) =>
  route({
    method: 'GET',
    path: '/v1/checkpoints/key',
    tag: 'proofs',
    summary: 'The public key that checkpoints are verified with',
    description: 'Whoever does not want to trust this API for it has it from the operator, who finds it in the data folder of the log.',
    roles: ['auditor'],
    answers: { 200: { description: 'The key', schema: LOG_KEY } },
    async handle() {
      const { vkey } = await requireCheckpoint(audited)
      const key = readVkey(vkey)
      const jwk = { kty: 'OKP', crv: 'Ed25519', kid: keyIdOf(key), x: bytesToBase64url(key.publicKey) }
      return { status: 200, body: { origin: key.name, vkey, jwk }, etag: keyIdOf(key) }
    },
  })

function presented({ number, note }: StoredCheckpoint): object {
  const { origin, size, root, previous, time } = readCheckpointText(readNote(note).text)
  return { number, origin, size, root: bytesToBase64(root), previous: previous ? bytesToBase64(previous) : null, time, note }
}

const CURSOR = 'checkpoints:'

const cursorOf = (size: number) => Buffer.from(`${CURSOR}${size}`).toString('base64url')

/** @throws Problem `invalid_cursor` */
function sizeFrom(cursor: string): number {
  const size = Number(Buffer.from(cursor, 'base64url').toString().slice(CURSOR.length))
  if (!Number.isSafeInteger(size) || cursorOf(size) !== cursor) throw invalidCursor()
  return size
}
