import { randomUUID } from 'node:crypto'
import { type Appended, metastreamOf, NO_STREAM, originOf, type ProposedEvent, TOMBSTONE } from '../log/event.ts'
import type { Log } from '../log/log.ts'
import { decideAppend, decideDelete, type Expected, type StreamFacts } from './expected-revision.ts'
import { DELETED_METADATA, undeleted } from './stream-metadata.ts'
import { isDeleted, lastEvent, metadataOf } from './stream-state.ts'

/** Why nothing was stored. `actual` is the stream's last revision, or NO_STREAM. */
export type Declined = { kind: 'wrong_revision'; actual: number } | { kind: 'deleted' }

/** `revision` is NO_STREAM when nothing was appended to a stream that does not exist; a deleted stream has no position to answer. */
export type AppendOutcome = { kind: 'appended'; revision: number; position: number | undefined } | Declined

export type DeleteOutcome = { kind: 'deletion'; position: number } | Declined

/** Appends within `stage`, if the stream is as expected. `now` in milliseconds. */
export function append(log: Log, stream: string, expected: Expected, events: readonly ProposedEvent[], now: number): AppendOutcome {
  const facts = factsOf(log, stream)
  const ids = events.map(({ id }) => id)
  const decision = decideAppend(facts, expected, ids)
  if (decision.kind === 'wrong_revision') return { kind: 'wrong_revision', actual: facts.last }
  if (decision.kind === 'deleted') return decision
  if (decision.kind === 'repeated') {
    return {
      kind: 'appended',
      revision: decision.revision,
      position: facts.deleted ? undefined : positionOf(log, stream, decision.revision),
    }
  }
  if (events.length === 0) return { kind: 'appended', revision: facts.last, position: log.head() }
  if (facts.deleted) bringBack(log, stream, now)
  const appended = log.append(stream, events, now)
  const origin = originOf(stream)
  if (origin !== undefined && facts.originDeleted) bringBack(log, origin, now)
  return { kind: 'appended', ...appended }
}

/** Deletes a stream, or tombstones it `forEver`, within `stage`. */
export function remove(log: Log, stream: string, expected: Expected, forEver: boolean, now: number): DeleteOutcome {
  const facts = factsOf(log, stream)
  const decision = decideDelete(facts, expected, forEver)
  if (decision.kind === 'wrong_revision') return { kind: 'wrong_revision', actual: facts.last }
  if (decision.kind === 'deleted') return decision
  const { position } = forEver ? log.tombstone(stream, tombstoneEvent(), now) : setMetadata(log, stream, Buffer.from(DELETED_METADATA), now)
  return { kind: 'deletion', position }
}

/** Replaces a stream's metadata by JSON, whatever it was. */
export function setMetadata(log: Log, stream: string, data: Uint8Array, now: number): Appended {
  return log.append(metastreamOf(stream), [{ id: randomUUID(), type: '$metadata', json: true, data, metadata: new Uint8Array() }], now)
}

/** Has a stream of the server's own keep its last events only, if it does not do so yet. Within `stage`. */
export function keepLast(log: Log, stream: string, maxCount: number, now: number): void {
  if (metadataOf(log, stream).maxCount !== maxCount) setMetadata(log, stream, Buffer.from(JSON.stringify({ $maxCount: maxCount })), now)
}

/** Whatever else the metadata says stays; events up to now remain hidden. */
function bringBack(log: Log, stream: string, now: number): void {
  const current = lastEvent(log, metastreamOf(stream))
  setMetadata(log, stream, undeleted(current?.data ?? new Uint8Array(), log.lastRevision(stream) + 1), now)
}

function factsOf(log: Log, stream: string): StreamFacts & { originDeleted: boolean } {
  const origin = originOf(stream)
  const own = log.lastRevision(stream)
  const last = own === NO_STREAM && origin !== undefined && log.lastRevision(origin) === TOMBSTONE ? TOMBSTONE : own
  return {
    last,
    deleted: isDeleted(metadataOf(log, stream)),
    originDeleted: origin !== undefined && isDeleted(metadataOf(log, origin)),
    hasMetadata: log.lastRevision(metastreamOf(stream)) !== NO_STREAM,
    idAt: (revision) => log.readStream(stream, revision, 'forwards', 1).events.find((event) => event.revision === revision)?.id,
    revisionOf: (id) => log.revisionOf(stream, id),
  }
}

function positionOf(log: Log, stream: string, revision: number): number | undefined {
  return log.readStream(stream, revision, 'backwards', 1).events[0]?.position
}

function tombstoneEvent(): ProposedEvent {
  return { id: randomUUID(), type: '$streamDeleted', json: false, data: new Uint8Array(), metadata: new Uint8Array() }
}
