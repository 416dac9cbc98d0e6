import type { ProposedEvent } from './event.ts'

/**
 * A record is what one row of the log holds: events that were appended to one stream together. Per event it is
 *   id (16 bytes) · flags (1) · length of type, metadata, data (4 each, little-endian) · type · metadata · data
 */
const HEADER_BYTES = 29
const JSON_FLAG = 1

/** Large appends are split, so that reading one event of them does not load them all. */
const RECORD_BYTES = 32 * 1024

export type Record = { count: number; payload: Buffer }

/** Encodes events into as many records as it takes, in order. */
export function encodeRecords(events: readonly ProposedEvent[]): Record[] {
  const records: Record[] = []
  let parts: Uint8Array[] = []
  let count = 0
  let bytes = 0
  const finish = () => {
    records.push({ count, payload: Buffer.concat(parts, bytes) })
    parts = []
    count = 0
    bytes = 0
  }
  for (const event of events) {
    const type = Buffer.from(event.type)
    const size = HEADER_BYTES + type.length + event.metadata.length + event.data.length
    if (count > 0 && bytes + size > RECORD_BYTES) finish()
    parts.push(header(event, type.length), type, event.metadata, event.data)
    count += 1
    bytes += size
  }
  if (count > 0) finish()
  return records
}

function header(event: ProposedEvent, typeLength: number): Buffer {
  const buffer = Buffer.allocUnsafe(HEADER_BYTES)
  buffer.write(event.id.replaceAll('-', ''), 0, 16, 'hex')
  buffer[16] = event.json ? JSON_FLAG : 0
  buffer.writeUInt32LE(typeLength, 17)
  buffer.writeUInt32LE(event.metadata.length, 21)
  buffer.writeUInt32LE(event.data.length, 25)
  return buffer
}

/** Decodes `take` events of a record, leaving out the first `skip`. Their bytes are views of `payload`. */
export function decodeRecord(payload: Buffer, skip: number, take: number): ProposedEvent[] {
  const events: ProposedEvent[] = []
  let at = 0
  for (let index = 0; index < skip + take && at < payload.length; index += 1) {
    const type = at + HEADER_BYTES
    const metadata = type + payload.readUInt32LE(at + 17)
    const data = metadata + payload.readUInt32LE(at + 21)
    const end = data + payload.readUInt32LE(at + 25)
    if (index >= skip) {
      events.push({
        id: uuidAt(payload, at),
        type: payload.toString('utf8', type, metadata),
        json: (payload[at + 16]! & JSON_FLAG) !== 0,
        metadata: payload.subarray(metadata, data),
        data: payload.subarray(data, end),
      })
    }
    at = end
  }
  return events
}

function uuidAt(payload: Buffer, at: number): string {
  const hex = payload.toString('hex', at, at + 16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
