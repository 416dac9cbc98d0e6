import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { type AllStreamRecordedEvent, binaryEvent, type EventData, jsonEvent, type RecordedEvent } from '@eventstore/db-client'
import type { Random } from './random.ts'

/** All that must be known of an event to tell its every byte: the rest follows from its id. */
export type Content = { id: string; type: string; size: number; json: boolean }

export type Recorded = RecordedEvent | AllStreamRecordedEvent

/** A new event; most are small, a few are larger than any buffer on the way. */
export function randomContent(random: Random): Content {
  const size = random.chance(0.005) ? 20_000 + random.below(130_000) : random.chance(0.05) ? random.below(20_000) : random.below(400)
  return { id: random.uuid(), type: random.pick(['Opened', 'Moved', 'Closed']), size, json: random.chance(0.3) }
}

/** The event as it is appended. */
export function eventOf({ id, type, size, json }: Content): EventData {
  const [data, metadata] = [bytes(`data of ${id}`, size), bytes(`metadata of ${id}`, size % 64)]
  // The client parses whatever metadata it can; this byte begins no JSON.
  if (metadata.length > 0) metadata[0] = 0xff
  return json
    ? jsonEvent({ id, type, data: { hex: data.toString('hex') }, metadata: { hex: metadata.toString('hex') } })
    : binaryEvent({ id, type, data, metadata })
}

/** Whether it was recorded exactly as it was appended. */
export function isIntact(content: Content, recorded: Recorded): boolean {
  const { id, type, data, metadata, contentType } = eventOf(content)
  return (
    recorded.id === id &&
    recorded.type === type &&
    recorded.isJson === (contentType === 'application/json') &&
    same(recorded.data, data) &&
    same(recorded.metadata, metadata)
  )
}

/** Without bytes the client answers undefined. */
function same(recorded: unknown, appended: unknown): boolean {
  if (!(appended instanceof Uint8Array)) return isDeepStrictEqual(recorded, appended)
  return appended.length === 0 && recorded === undefined ? true : recorded instanceof Uint8Array && Buffer.compare(recorded, appended) === 0
}

const bytes = (seed: string, length: number): Buffer =>
  length === 0 ? Buffer.alloc(0) : createHash('shake256', { outputLength: length }).update(seed).digest()
