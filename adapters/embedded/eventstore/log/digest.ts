import { createHash } from 'node:crypto'

/** The digest before the first commit. */
export const GENESIS = Buffer.alloc(32)

export type DigestedRecord = { position: number; stream: string; revision: number; count: number; created: number; payload: Uint8Array }

/** SHA-256 over the previous commit's digest and this commit's records, so that any later change of either shows. */
export function commitDigest(previous: Uint8Array, records: Iterable<DigestedRecord>): Buffer {
  const hash = createHash('sha256').update(previous)
  for (const { position, stream, revision, count, created, payload } of records) {
    hash.update(JSON.stringify([position, stream, revision, count, created, payload.length])).update(payload)
  }
  return hash.digest()
}
