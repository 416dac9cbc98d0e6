import { randomInt } from 'node:crypto'
import { MAX_DOCUMENT_BYTES } from './document.ts'
import { CommandError } from './errors.ts'
import { encodeCursorReply } from './wire/cursor-reply.ts'

/** Results waiting to be fetched, each as BSON. They are a snapshot: documents never change in place. */
type OpenCursor = { namespace: string; results: Iterator<Uint8Array>; ahead: Uint8Array | undefined; usedAt: number }

export type Cursors = {
  /** The reply with the first batch; what is left stays open under a cursor id. @throws TooManyOpenCursors */
  open(namespace: string, results: Iterable<Uint8Array>, options: { batchSize?: number | undefined; singleBatch?: boolean }): Uint8Array
  /** @throws CursorNotFound */
  more(id: number, namespace: string, batchSize?: number): Uint8Array
  /** False when there is no such cursor. */
  kill(id: number, namespace: string): boolean
  /** Forgets the cursors that nobody has used for ten minutes, and what they hold. */
  expire(): void
  readonly size: number
}

const FIRST_BATCH = 101
const MAX_OPEN = 1_000
const IDLE_MS = 10 * 60_000

/** `now` is in milliseconds. */
export function createCursors(now: () => number): Cursors {
  const cursors = new Map<number, OpenCursor>()

  function expire(): void {
    for (const [id, { usedAt }] of cursors) if (now() - usedAt > IDLE_MS) cursors.delete(id)
  }

  function next(cursor: OpenCursor): Uint8Array | undefined {
    const { done, value } = cursor.results.next()
    return done ? undefined : value
  }

  /** Up to `count` documents and 16 MiB, but at least one. */
  function batch(cursor: OpenCursor, count: number): Uint8Array[] {
    const documents: Uint8Array[] = []
    let bytes = 0
    while (documents.length < count) {
      cursor.ahead ??= next(cursor)
      if (!cursor.ahead || (documents.length > 0 && bytes + cursor.ahead.length > MAX_DOCUMENT_BYTES)) break
      bytes += cursor.ahead.length
      documents.push(cursor.ahead)
      cursor.ahead = undefined
    }
    return documents
  }

  function exhausted(cursor: OpenCursor): boolean {
    cursor.ahead ??= next(cursor)
    return cursor.ahead === undefined
  }

  function find(id: number, namespace: string): OpenCursor {
    const cursor = cursors.get(id)
    if (!cursor || cursor.namespace !== namespace || now() - cursor.usedAt > IDLE_MS) {
      throw new CommandError('CursorNotFound', `cursor id ${id} not found`)
    }
    return cursor
  }

  return {
    open(namespace, results, { batchSize = FIRST_BATCH, singleBatch = false }) {
      const cursor: OpenCursor = { namespace, results: results[Symbol.iterator](), ahead: undefined, usedAt: now() }
      const documents = batch(cursor, batchSize)
      if (singleBatch || exhausted(cursor)) return encodeCursorReply({ field: 'firstBatch', id: 0n, namespace, documents })
      if (cursors.size >= MAX_OPEN) expire()
      if (cursors.size >= MAX_OPEN) throw new CommandError('TooManyOpenCursors', `at most ${MAX_OPEN} cursors can be open`)
      const id = randomInt(1, 2 ** 48 - 1)
      cursors.set(id, cursor)
      return encodeCursorReply({ field: 'firstBatch', id: BigInt(id), namespace, documents })
    },
    more(id, namespace, batchSize = Number.POSITIVE_INFINITY) {
      const cursor = find(id, namespace)
      cursor.usedAt = now()
      const documents = batch(cursor, batchSize > 0 ? batchSize : Number.POSITIVE_INFINITY)
      const done = exhausted(cursor)
      if (done) cursors.delete(id)
      return encodeCursorReply({ field: 'nextBatch', id: done ? 0n : BigInt(id), namespace, documents })
    },
    kill(id, namespace) {
      return cursors.get(id)?.namespace === namespace && cursors.delete(id)
    },
    expire,
    get size() {
      return cursors.size
    },
  }
}
