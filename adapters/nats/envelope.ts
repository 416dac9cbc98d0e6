import { createHash } from 'node:crypto'
import { decode, encode } from '@msgpack/msgpack'
import { CEREMONY_KINDS, type Header, ID_PATTERN } from '../../domain/ceremony/messages.ts'
import { encodeFields } from '../../domain/fields.ts'
import { SCHEMES } from '../../domain/threshold/scheme.ts'
import { integer, Malformed, oneOf, record, text } from './shape.ts'
import { STAMP_BYTES, type Stamp } from './stamp.ts'

/** A message as it travels. A reply has no header when the request's could not be read. Requests are stamped. */
export type Envelope = { header: Header | null; stamp: Stamp | null; content: Uint8Array; signature: Uint8Array }

const VERSION = 3
const SIGNATURE_BYTES = 64
const MAX_HEADER_BYTES = 512
/** So that an envelope fits in the 1 MiB that brokers take by default. */
export const MAX_CONTENT_BYTES = 1_048_576 - 1_024
const MAX_ENVELOPE_BYTES = MAX_CONTENT_BYTES + MAX_HEADER_BYTES + STAMP_BYTES + SIGNATURE_BYTES + 18
export const MAX_ATTEMPT = 1_000_000
const MAX_ROUND = 32

const id = text(64, ID_PATTERN)

const readHeader = record<Header>({
  scheme: oneOf(SCHEMES),
  kind: oneOf(CEREMONY_KINDS),
  ceremonyId: id,
  attempt: integer(1, MAX_ATTEMPT),
  round: integer(1, MAX_ROUND),
  from: id,
  to: id,
})

/** MessagePack of an array of version, header, stamp, content and signature, the last four as binary; no header, or stamp, is an empty one. */
export function encodeEnvelope({ header, stamp, content, signature }: Envelope): Uint8Array {
  return encode([VERSION, header === null ? NONE : encode(header), stamp ?? NONE, content, signature])
}

/**
 * Reads what `encodeEnvelope` writes, byte by byte: this is all that is done with a message before it is known who sent it, so it costs
 * no more than a look. Stamp, content and signature are views of the payload.
 * @throws Malformed
 */
export function decodeEnvelope(payload: Uint8Array): Envelope {
  if (payload.length > MAX_ENVELOPE_BYTES) throw new Malformed(`longer than ${MAX_ENVELOPE_BYTES} bytes`)
  if (payload[0] !== ARRAY_OF_FIVE || payload[1] !== VERSION) throw new Malformed(`an envelope of version ${VERSION} expected`)
  const [header, afterHeader] = readBinary(payload, 2, MAX_HEADER_BYTES)
  const [stamp, afterStamp] = readBinary(payload, afterHeader, STAMP_BYTES)
  if (stamp.length !== 0 && stamp.length !== STAMP_BYTES) throw new Malformed(`a stamp has ${STAMP_BYTES} bytes`)
  const [content, afterContent] = readBinary(payload, afterStamp, MAX_CONTENT_BYTES)
  const [signature, end] = readBinary(payload, afterContent, SIGNATURE_BYTES)
  if (signature.length !== SIGNATURE_BYTES || end !== payload.length) throw new Malformed('a signature, and nothing after it, expected')
  return { header: header.length === 0 ? null : decodeHeader(header), stamp: stamp.length === 0 ? null : stamp, content, signature }
}

/** What is signed of a request. */
export const requestBytes = (header: Header, stamp: Stamp, content: Uint8Array): Uint8Array =>
  encodeFields('quorate request', ...headerFields(header), stamp, sha256(content))

/** What is signed of a reply: it belongs to the one request that came in these bytes. */
export const replyBytes = (header: Header | null, content: Uint8Array, request: Uint8Array): Uint8Array =>
  encodeFields('quorate reply', sha256(request), ...(header ? headerFields(header) : []), sha256(content))

export const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()

const headerFields = ({ scheme, kind, ceremonyId, attempt, round, from, to }: Header) =>
  [scheme, kind, ceremonyId, attempt, round, from, to] as const

const NONE = new Uint8Array()
const ARRAY_OF_FIVE = 0x95
/** First byte of MessagePack's binaries, by how many bytes their length takes. */
const LENGTH_BYTES = new Map([
  [0xc4, 1],
  [0xc5, 2],
  [0xc6, 4],
])

/** The bytes, and where they end. */
function readBinary(payload: Uint8Array, at: number, max: number): [Uint8Array, number] {
  const lengthBytes = LENGTH_BYTES.get(payload[at] ?? 0)
  if (lengthBytes === undefined) throw new Malformed('bytes expected')
  const start = at + 1 + lengthBytes
  const length = payload.subarray(at + 1, start).reduce((sum, byte) => sum * 256 + byte, 0)
  const end = start + length
  if (length > max || end > payload.length) throw new Malformed('bytes are longer than they may be, or than the message')
  return [payload.subarray(start, end), end]
}

function decodeHeader(bytes: Uint8Array): Header {
  try {
    return readHeader(decode(bytes.slice(), { maxMapLength: 7, maxArrayLength: 0, maxBinLength: 0, maxExtLength: 0 }))
  } catch (error) {
    throw error instanceof Malformed ? error : new Malformed('not a header')
  }
}
