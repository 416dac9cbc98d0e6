import { crc32 } from 'node:zlib'
import type { ProposedEvent, RecordedEvent } from './event.ts'
import { LogError } from './log-error.ts'

/**
 * A record is one event:
 *   length of the whole record (4) · CRC-32 of what follows (4) · revision (8) · created (8) · id (16) · flags (1)
 *   · length of stream, type, metadata (4 each) · stream · type · metadata · data
 * Its position is where it stands.
 */
const HEAD_BYTES = 53
const JSON_FLAG = 1

/** All that is needed are its first four bytes. */
export const recordLength = (bytes: Buffer, at: number): number => bytes.readUInt32LE(at)

/** An event on its way into the log, its names encoded. */
export type NewRecord = { stream: Buffer; type: Buffer; revision: number; created: number; event: ProposedEvent }

export const encodedLength = ({ stream, type, event }: NewRecord): number =>
  HEAD_BYTES + stream.length + type.length + event.metadata.length + event.data.length

/** Writes a record, for which there must be room, and returns where it ends. */
export function encodeRecord(bytes: Buffer, at: number, record: NewRecord): number {
  const { stream, type, revision, created, event } = record
  const end = at + encodedLength(record)
  bytes.writeUInt32LE(end - at, at)
  bytes.writeDoubleLE(revision, at + 8)
  bytes.writeDoubleLE(created, at + 16)
  bytes.write(event.id.replaceAll('-', ''), at + 24, 16, 'hex')
  bytes[at + 40] = event.json ? JSON_FLAG : 0
  bytes.writeUInt32LE(stream.length, at + 41)
  bytes.writeUInt32LE(type.length, at + 45)
  bytes.writeUInt32LE(event.metadata.length, at + 49)
  bytes.set(stream, at + HEAD_BYTES)
  bytes.set(type, at + HEAD_BYTES + stream.length)
  bytes.set(event.metadata, end - event.data.length - event.metadata.length)
  bytes.set(event.data, end - event.data.length)
  bytes.writeUInt32LE(crc32(bytes.subarray(at + 8, end)), at + 4)
  return end
}

/** Metadata and data are views of `bytes`. @throws LogError when they are not what was written */
export function decodeRecord(bytes: Buffer, position: number): RecordedEvent {
  if (bytes.length < HEAD_BYTES || crc32(bytes.subarray(8)) !== bytes.readUInt32LE(4)) {
    throw new LogError('log_corrupt', `the event at position ${position} is damaged`)
  }
  const type = HEAD_BYTES + bytes.readUInt32LE(41)
  const metadata = type + bytes.readUInt32LE(45)
  const data = metadata + bytes.readUInt32LE(49)
  return {
    id: uuidAt(bytes, 24),
    type: bytes.toString('utf8', type, metadata),
    json: (bytes[40]! & JSON_FLAG) !== 0,
    data: bytes.subarray(data),
    metadata: bytes.subarray(metadata, data),
    stream: bytes.toString('utf8', HEAD_BYTES, type),
    revision: bytes.readDoubleLE(8),
    position,
    created: bytes.readDoubleLE(16),
  }
}

/** What the index needs of the record at `at`, which is known to be undamaged. */
export const recordKey = (bytes: Buffer, at: number): { stream: string; revision: number } => ({
  stream: bytes.toString('utf8', at + HEAD_BYTES, at + HEAD_BYTES + bytes.readUInt32LE(at + 41)),
  revision: bytes.readDoubleLE(at + 8),
})

export const recordCreated = (bytes: Buffer, at: number): number => bytes.readDoubleLE(at + 16)

function uuidAt(bytes: Buffer, at: number): string {
  const hex = bytes.toString('hex', at, at + 16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
