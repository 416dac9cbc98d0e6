import { NO_STREAM, TOMBSTONE } from '../log/event.ts'

/** What a writer expects of the stream: anything, that it does not exist, that it does, or its last revision. */
export type Expected = 'any' | 'no_stream' | 'stream_exists' | number

/** What a decision needs to know about a stream. `last` is NO_STREAM, TOMBSTONE or the last event's revision. */
export type StreamFacts = {
  last: number
  /** Deleted, but not for ever: its metadata hides all its events. */
  deleted: boolean
  hasMetadata: boolean
  idAt(revision: number): string | undefined
  revisionOf(id: string): number | undefined
}

export type AppendDecision =
  | { kind: 'write' }
  /** All of it was appended before; `revision` is the last event's. */
  | { kind: 'repeated'; revision: number }
  | { kind: 'wrong_revision' }
  | { kind: 'deleted' }

const WRITE = { kind: 'write' } as const
const WRONG = { kind: 'wrong_revision' } as const
const DELETED = { kind: 'deleted' } as const

/** Whether events with these ids may be appended. An exact revision that is current always writes, known ids or not. */
export function decideAppend(stream: StreamFacts, expected: Expected, ids: readonly string[]): AppendDecision {
  if (stream.last === TOMBSTONE) return DELETED
  if (expected === 'stream_exists') {
    if (stream.deleted) return DELETED
    if (stream.last === NO_STREAM && !stream.hasMetadata) return WRONG
  }
  if (expected === 'any' || expected === 'stream_exists') return repeatedAnywhere(stream, ids)
  const revision = expected === 'no_stream' ? NO_STREAM : expected
  if (revision === stream.last) return WRITE
  if (revision > stream.last) return WRONG
  return repeatedAfter(stream, revision, ids)
}

/** A known first id means a repetition, of which every id must be known. */
function repeatedAnywhere(stream: StreamFacts, ids: readonly string[]): AppendDecision {
  if (ids[0] === undefined || stream.revisionOf(ids[0]) === undefined) return WRITE
  const revisions = ids.map((id) => stream.revisionOf(id))
  const last = revisions.at(-1)
  return last === undefined || revisions.includes(undefined) ? WRONG : { kind: 'repeated', revision: last }
}

/** The stream has moved on, which is right only if it did so by exactly these events. */
function repeatedAfter(stream: StreamFacts, revision: number, ids: readonly string[]): AppendDecision {
  const known = ids.findIndex((id, index) => stream.idAt(revision + 1 + index) !== id)
  if (known === -1 && ids.length > 0) return { kind: 'repeated', revision: revision + ids.length }
  return stream.deleted && revision === NO_STREAM && known === 0 ? WRITE : WRONG
}

export type DeleteDecision = { kind: 'delete' } | { kind: 'wrong_revision' } | { kind: 'deleted' }

/** Whether a stream may be deleted or, with `forEver`, tombstoned. Only a tombstone may be put where nothing is. */
export function decideDelete(stream: StreamFacts, expected: Expected, forEver: boolean): DeleteDecision {
  if (stream.last === TOMBSTONE) return DELETED
  const missing = stream.last === NO_STREAM && !stream.hasMetadata
  if (missing && !forEver) return WRONG
  switch (expected) {
    case 'any':
      return { kind: 'delete' }
    case 'stream_exists':
      if (stream.deleted) return DELETED
      return missing ? WRONG : { kind: 'delete' }
    case 'no_stream':
      return stream.last === NO_STREAM || stream.deleted ? { kind: 'delete' } : WRONG
    default:
      return expected === stream.last ? { kind: 'delete' } : WRONG
  }
}
