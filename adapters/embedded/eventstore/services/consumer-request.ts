import {
  type Cursor,
  cursorOf,
  readInt32,
  readMessage,
  readTag,
  readText,
  readVarint,
  skipField,
  tag,
  WIRE,
} from '../../../protobuf/cursor.ts'
import { readStreamIdentifier, readUuid } from '../../../protobuf/shared-messages.ts'
import { BadRequest } from './errors.ts'
import { readIdOption, validUuid } from './shared-fields.ts'

/**
 * What a consumer of a persistent subscription sends: first which group it joins, then its answers to events.
 *   ReadReq { oneof { Options options = 1; Ack ack = 2; Nack nack = 3 } }
 *   Options { oneof { StreamIdentifier stream = 1; Empty all = 5 }; string group = 2; int32 buffer_size = 3; UUIDOption ids = 4 }
 *   Ack { bytes id = 1; repeated UUID ids = 2 }
 *   Nack { bytes id = 1; repeated UUID ids = 2; Action action = 3; string reason = 4 }
 */
export type ConsumerRequest =
  | { kind: 'join'; stream: Buffer | undefined; group: string; bufferSize: number; structuredIds: boolean }
  | { kind: 'ack'; ids: string[] }
  | { kind: 'nack'; ids: string[]; action: number; reason: string }

const REQUEST = { options: tag(1, WIRE.lengthDelimited), ack: tag(2, WIRE.lengthDelimited), nack: tag(3, WIRE.lengthDelimited) }
const OPTIONS = {
  stream: tag(1, WIRE.lengthDelimited),
  group: tag(2, WIRE.lengthDelimited),
  bufferSize: tag(3, WIRE.varint),
  ids: tag(4, WIRE.lengthDelimited),
  all: tag(5, WIRE.lengthDelimited),
}
const ANSWER = { ids: tag(2, WIRE.lengthDelimited), action: tag(3, WIRE.varint), reason: tag(4, WIRE.lengthDelimited) }

/** @throws MalformedMessage or BadRequest */
export function decodeConsumerRequest(bytes: Buffer): ConsumerRequest {
  const message = cursorOf(bytes)
  let request: ConsumerRequest | undefined
  for (let field = readTag(message); field !== 0; field = readTag(message)) {
    if (field === REQUEST.options) request = readOptions(readMessage(message))
    else if (field === REQUEST.ack) request = { kind: 'ack', ids: readAnswer(readMessage(message)).ids }
    else if (field === REQUEST.nack) request = { kind: 'nack', ...readAnswer(readMessage(message)) }
    else skipField(message, field)
  }
  if (!request) throw new BadRequest('the request is empty')
  return request
}

function readOptions(message: Cursor): ConsumerRequest {
  const options = { kind: 'join' as const, stream: Buffer.alloc(0) as Buffer | undefined, group: '', bufferSize: 0, structuredIds: false }
  for (let field = readTag(message); field !== 0; field = readTag(message)) {
    if (field === OPTIONS.stream) options.stream = readStreamIdentifier(message)
    else if (field === OPTIONS.group) options.group = readText(message)
    else if (field === OPTIONS.bufferSize) options.bufferSize = readInt32(message)
    else if (field === OPTIONS.ids) options.structuredIds = readIdOption(message)
    else {
      if (field === OPTIONS.all) options.stream = undefined
      skipField(message, field)
    }
  }
  return options
}

function readAnswer(message: Cursor): { ids: string[]; action: number; reason: string } {
  const answer = { ids: [] as string[], action: 0, reason: '' }
  for (let field = readTag(message); field !== 0; field = readTag(message)) {
    if (field === ANSWER.ids) answer.ids.push(validUuid(readUuid(message)))
    else if (field === ANSWER.action) answer.action = Number(readVarint(message))
    else if (field === ANSWER.reason) answer.reason = readText(message)
    else skipField(message, field)
  }
  return answer
}
