import { decodeDocument } from '../bson/decode.ts'
import type { Doc } from '../document.ts'
import { CommandError } from '../errors.ts'
import { HEADER_BYTES, ProtocolViolation } from './frames.ts'

const OP_REPLY = 1
const OP_QUERY = 2004
const OP_COMPRESSED = 2012
const OP_MSG = 2013

const CHECKSUM_PRESENT = 1 << 0
const MORE_TO_COME = 1 << 1
const EXHAUST_ALLOWED = 1 << 16
/** Of the flag bits 0–15 an unknown one must be refused; 16–31 are optional. */
const UNKNOWN_REQUIRED_FLAGS = 0xffff & ~(CHECKSUM_PRESENT | MORE_TO_COME)

/** How the client asked, and so how it must be answered; `none` when it wants no answer, `stream` when it takes several. */
export type Dialect = 'message' | 'query' | 'none' | 'stream'

/** Documents of a message's document sequences as they came, by the field that they belong to. What is in them has not been looked at. */
export type Sequences = ReadonlyMap<string, readonly Buffer[]>

/** The first field of `body` is the command's name. */
export type Command = { body: Doc; sequences: Sequences }

export type Request = { requestId: number; dialect: Dialect } & (Command | { error: CommandError })

/** Where the document ends that begins at `at`. */
function documentEnd(frame: Buffer, at: number, end: number): number {
  const size = at + 5 <= end ? frame.readInt32LE(at) : 0
  if (size < 5 || at + size > end) throw new CommandError('InvalidBSON', 'a document is cut off')
  return at + size
}

function readName(frame: Buffer, at: number, end: number): { name: string; next: number } {
  const terminator = frame.indexOf(0, at)
  if (terminator < 0 || terminator >= end) throw new CommandError('InvalidBSON', 'a name is not terminated')
  return { name: frame.toString('utf8', at, terminator), next: terminator + 1 }
}

type Sequence = { name: string; documents: Buffer[]; next: number }

/** Kind 1: a size, a field name, and documents one after another. */
function readSequence(frame: Buffer, at: number, end: number): Sequence {
  const size = at + 4 <= end ? frame.readInt32LE(at) : -1
  const sectionEnd = at + size
  if (size < 5 || sectionEnd > end) throw new CommandError('InvalidBSON', `a document sequence cannot be ${size} bytes long here`)
  const { name, next } = readName(frame, at + 4, sectionEnd)
  const documents: Buffer[] = []
  for (let position = next; position < sectionEnd; ) {
    const documentAt = position
    position = documentEnd(frame, documentAt, sectionEnd)
    documents.push(frame.subarray(documentAt, position))
  }
  return { name, documents, next: sectionEnd }
}

function readMessage(frame: Buffer, flags: number): Command {
  const end = flags & CHECKSUM_PRESENT ? frame.length - 4 : frame.length
  let body: Doc | undefined
  const sequences = new Map<string, readonly Buffer[]>()
  for (let at = HEADER_BYTES + 4; at < end; ) {
    const kind = frame[at]
    if (kind === 0 && !body) {
      const next = documentEnd(frame, at + 1, end)
      body = decodeDocument(frame, at + 1, next)
      at = next
    } else if (kind === 1) {
      const { name, documents, next } = readSequence(frame, at + 1, end)
      if (sequences.has(name)) throw new CommandError('InvalidBSON', 'a section comes twice')
      sequences.set(name, documents)
      at = next
    } else throw new CommandError('InvalidBSON', `unexpected section of kind ${kind}`)
  }
  if (!body) throw new CommandError('InvalidBSON', 'a message needs a body')
  return { body, sequences }
}

/** Only the handshake still comes as OP_QUERY, to `<database>.$cmd`. */
function readQuery(frame: Buffer): Command {
  const { name, next } = readName(frame, HEADER_BYTES + 4, frame.length)
  const document = decodeDocument(frame, next + 8, documentEnd(frame, next + 8, frame.length))
  const command = Object.keys(document)[0]?.toLowerCase()
  if (command !== 'hello' && command !== 'ismaster')
    throw new CommandError('UnsupportedOpQueryCommand', `unsupported OP_QUERY command: ${command}`)
  return { body: { ...document, $db: name.split('.')[0] }, sequences: new Map() }
}

function attempt(requestId: number, dialect: Dialect, read: () => Command): Request {
  try {
    return { requestId, dialect, ...read() }
  } catch (error) {
    if (error instanceof CommandError) return { requestId, dialect, error }
    throw error
  }
}

function dialectOf(flags: number): Dialect {
  if (flags & MORE_TO_COME) return 'none'
  return flags & EXHAUST_ALLOWED ? 'stream' : 'message'
}

/** Reads one complete message. @throws ProtocolViolation when the connection cannot go on */
export function decodeRequest(frame: Buffer): Request {
  const requestId = frame.readInt32LE(4)
  const opCode = frame.readInt32LE(12)
  if (opCode === OP_MSG) {
    if (frame.length < HEADER_BYTES + 4) throw new ProtocolViolation('a message is cut off')
    const flags = frame.readUInt32LE(HEADER_BYTES)
    if (flags & UNKNOWN_REQUIRED_FLAGS) throw new ProtocolViolation('a message has unknown required flags')
    return attempt(requestId, dialectOf(flags), () => readMessage(frame, flags))
  }
  if (opCode === OP_QUERY) return attempt(requestId, 'query', () => readQuery(frame))
  if (opCode === OP_COMPRESSED) {
    const error = new CommandError('ProtocolError', 'compression was not negotiated')
    return { requestId, dialect: 'message', error }
  }
  throw new ProtocolViolation(`unknown op code ${opCode}`)
}

let lastReplyId = 0

function header(length: number, responseTo: number, opCode: number): Buffer {
  const buffer = Buffer.alloc(HEADER_BYTES)
  lastReplyId = (lastReplyId + 1) | 0
  for (const [i, value] of [length, lastReplyId, responseTo, opCode].entries()) buffer.writeInt32LE(value, i * 4)
  return buffer
}

const NO_FLAGS_KIND_0 = Buffer.alloc(5)
const MORE_TO_COME_KIND_0 = Buffer.of(MORE_TO_COME, 0, 0, 0, 0)
/** Flags (await capable), cursor id, starting from, and a count of one document. */
const REPLY_PREFIX = Buffer.from('0800000000000000000000000000000001000000', 'hex')

function encode(responseTo: number, opCode: number, prefix: Buffer, document: Uint8Array): Buffer {
  const length = HEADER_BYTES + prefix.length + document.length
  return Buffer.concat([header(length, responseTo, opCode), prefix, document], length)
}

/** One reply document, already BSON, as the message that the client expects. */
export const encodeReply = (responseTo: number, dialect: Dialect, document: Uint8Array): Buffer =>
  dialect === 'query' ? encode(responseTo, OP_REPLY, REPLY_PREFIX, document) : encode(responseTo, OP_MSG, NO_FLAGS_KIND_0, document)

/** One of several replies to the same request; there is always another one after it. */
export const encodeOneOfMany = (responseTo: number, document: Uint8Array): Buffer =>
  encode(responseTo, OP_MSG, MORE_TO_COME_KIND_0, document)
