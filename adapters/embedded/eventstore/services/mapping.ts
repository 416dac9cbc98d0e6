import type { StreamIdentifier as StreamIdentifierMessage, UUID as UuidMessage } from '@eventstore/db-client/generated/shared_pb.js'
import { NO_STREAM, type ProposedEvent, type RecordedEvent, TOMBSTONE } from '../log/event.ts'
import type { Expected } from '../streams/expected-revision.ts'
import type { ResolvedEvent } from '../streams/read.ts'
import { BadRequest } from './errors.ts'
import { shared } from './generated.ts'

const MAX_NAME_BYTES = 64 * 1024
const LARGEST_REVISION = '9223372036854775807'
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

export const emptyMessage = () => new shared.Empty()

/** @throws BadRequest when the name is missing, too long or reserved */
export function streamName(identifier: StreamIdentifierMessage | undefined): string {
  const bytes = identifier?.getStreamName_asU8() ?? new Uint8Array()
  if (bytes.length === 0) throw new BadRequest('the stream name is empty')
  if (bytes.length > MAX_NAME_BYTES) throw new BadRequest('the stream name is too long')
  return Buffer.from(bytes).toString()
}

export function streamIdentifier(stream: string): StreamIdentifierMessage {
  const identifier = new shared.StreamIdentifier()
  identifier.setStreamName(Buffer.from(stream))
  return identifier
}

/** Revisions and positions come as unsigned 64-bit integers; beyond the largest signed one there is nothing. @throws BadRequest */
export function keyOf(value: string): number {
  if (BigInt(value) > BigInt(LARGEST_REVISION)) throw new BadRequest(`${value} is neither a revision nor a position`)
  return Math.min(Number(value), TOMBSTONE)
}

export const revisionText = (revision: number): string => (revision === TOMBSTONE ? LARGEST_REVISION : String(revision))

/** @throws BadRequest */
export function uuidText(message: UuidMessage | undefined): string {
  const structured = message?.getStructured()
  if (structured) {
    const hex = [structured.getMostSignificantBits(), structured.getLeastSignificantBits()]
      .map((bits) => BigInt.asUintN(64, BigInt(bits)).toString(16).padStart(16, '0'))
      .join('')
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  }
  const text = message?.getString().toLowerCase() ?? ''
  if (!UUID.test(text)) throw new BadRequest('an id is not a UUID')
  return text
}

export function uuidMessage(id: string, structured = false): UuidMessage {
  const message = new shared.UUID()
  if (!structured) {
    message.setString(id)
    return message
  }
  const hex = id.replaceAll('-', '')
  const bits = (digits: string) => BigInt.asIntN(64, BigInt(`0x${digits}`)).toString()
  const numbers = new shared.UUID.Structured()
  numbers.setMostSignificantBits(bits(hex.slice(0, 16)))
  numbers.setLeastSignificantBits(bits(hex.slice(16)))
  message.setStructured(numbers)
  return message
}

type ExpectationMessage = { hasNoStream(): boolean; hasAny(): boolean; hasStreamExists(): boolean }

/** `exact` is the expected revision, when that is what the request holds. @throws BadRequest */
export function expected(message: ExpectationMessage, exact: string | undefined): Expected {
  if (exact !== undefined) return keyOf(exact)
  if (message.hasNoStream()) return 'no_stream'
  if (message.hasStreamExists()) return 'stream_exists'
  return 'any'
}

/** How error messages tell an expectation: a revision, or one of the numbers that stand for the others. */
export function expectedCode(value: Expected): number {
  return typeof value === 'number' ? value : { any: -2, no_stream: NO_STREAM, stream_exists: -4 }[value]
}

type ProposedMessage = {
  getId(): UuidMessage | undefined
  getMetadataMap(): { get(key: string): string | undefined }
  getCustomMetadata_asU8(): Uint8Array
  getData_asU8(): Uint8Array
}

/** The first required property of an event that is missing. */
export function missingProperty(message: ProposedMessage): string | undefined {
  return ['type', 'content-type'].find((name) => !message.getMetadataMap().get(name))
}

/** @throws BadRequest */
export function proposedEvent(message: ProposedMessage): ProposedEvent {
  const properties = message.getMetadataMap()
  return {
    id: uuidText(message.getId()),
    type: properties.get('type') ?? '',
    json: properties.get('content-type') === 'application/json',
    data: message.getData_asU8(),
    metadata: message.getCustomMetadata_asU8(),
  }
}

/** The event that a reader asked for, which is the link when there is one. */
export const originalOf = ({ event, link }: ResolvedEvent): RecordedEvent => (link ?? event) as RecordedEvent
