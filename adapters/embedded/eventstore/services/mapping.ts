import type { StreamIdentifier as StreamIdentifierMessage, UUID as UuidMessage } from '@eventstore/db-client/generated/shared_pb.js'
import { type RecordedEvent, TOMBSTONE } from '../log/event.ts'
import type { ResolvedEvent } from '../streams/read.ts'
import { BadRequest } from './errors.ts'
import { shared } from './generated.ts'

const MAX_NAME_BYTES = 64 * 1024
const LARGEST_REVISION = '9223372036854775807'

export const emptyMessage = () => new shared.Empty()

/** @throws BadRequest when the name is missing or too long */
export function streamName(bytes: Uint8Array | undefined): string {
  if (bytes === undefined || bytes.length === 0) throw new BadRequest('the stream name is empty')
  if (bytes.length > MAX_NAME_BYTES) throw new BadRequest('the stream name is too long')
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
}

export function streamIdentifier(stream: string): StreamIdentifierMessage {
  const identifier = new shared.StreamIdentifier()
  identifier.setStreamName(Buffer.from(stream))
  return identifier
}

/** Revisions and positions come as unsigned 64-bit integers; beyond the largest signed one there is nothing. @throws BadRequest */
export function keyOf(value: number | bigint | string): number {
  if (typeof value === 'number') return value
  if (BigInt(value) > BigInt(LARGEST_REVISION)) throw new BadRequest(`${value} is neither a revision nor a position`)
  return Math.min(Number(value), TOMBSTONE)
}

export const revisionText = (revision: number): string => (revision === TOMBSTONE ? LARGEST_REVISION : String(revision))

export function uuidMessage(id: string): UuidMessage {
  const message = new shared.UUID()
  message.setString(id)
  return message
}

/** The event that a reader asked for, which is the link when there is one. */
export const originalOf = ({ event, link }: ResolvedEvent): RecordedEvent => (link ?? event) as RecordedEvent
