import { decode, encode } from '@msgpack/msgpack'
import {
  CEREMONY_KINDS,
  type CeremonyReply,
  type CeremonyRequest,
  type Header,
  type Heard,
  ID_PATTERN,
  MAX_OPENINGS,
  MAX_PIECE_BYTES,
  REFUSAL_CODES,
  type ShareReference,
  type Statement,
} from '../../domain/ceremony/messages.ts'
import { OPENING_ID_BYTES, type Opening, TRANSCRIPT_BYTES } from '../../domain/ceremony/opening.ts'
import type { Authorisation } from '../../domain/key-share/events.ts'
import { MAX_PARTIES, SCHEMES } from '../../domain/threshold/scheme.ts'
import { bytes, integer, list, Malformed, nullable, oneOf, type Read, record, text, variant } from './shape.ts'

/** First element of every message. */
const VERSION = 1
const MAX_ATTEMPT = 1_000_000
const MAX_ROUND = 32
const MAX_PUBLIC_KEY_BYTES = 64
const MAX_TEXT = 512 * 1024
const MAX_REASON = 500
const DIGEST_BYTES = 32
const SEALING_KEY_BYTES = 32
const IDENTITY_SIGNATURE_BYTES = 64
const MAX_APPROVALS = 16
const MAX_PATH = 200

/** What no message needs more of, checked while it is being decoded. */
const LIMITS = { maxStrLength: MAX_TEXT, maxBinLength: 1024 * 1024, maxArrayLength: 16, maxMapLength: 16, maxExtLength: 0 }

const id = text(64, ID_PATTERN)
const piece = bytes(0, MAX_PIECE_BYTES)
const parties = list(id, MAX_PARTIES)

const header = record<Header>({
  scheme: oneOf(SCHEMES),
  kind: oneOf(CEREMONY_KINDS),
  ceremonyId: id,
  attempt: integer(1, MAX_ATTEMPT),
  round: integer(1, MAX_ROUND),
  from: id,
  to: id,
})

const statement = record<Statement>({
  broadcast: piece,
  sealingKey: nullable(bytes(SEALING_KEY_BYTES)),
  transcript: nullable(bytes(DIGEST_BYTES)),
})

const heard = record<Heard>({
  statements: list(record({ from: id, statement }), MAX_PARTIES),
  secrets: list(record({ from: id, sealed: piece }), MAX_PARTIES),
})

const authorisation = record<Authorisation>({
  method: text(16),
  path: text(2_048),
  body: text(MAX_TEXT),
  intent: nullable(text(16_384)),
})

const share = record<ShareReference>({
  keyId: id,
  epoch: integer(1, MAX_ATTEMPT),
  attempt: integer(1, MAX_ATTEMPT),
  publicKey: bytes(1, MAX_PUBLIC_KEY_BYTES),
})

const openingId = bytes(OPENING_ID_BYTES)
const opening = record<Opening>({
  id: openingId,
  partyId: id,
  keyId: id,
  epoch: integer(1, MAX_ATTEMPT),
  broadcast: piece,
  expiresAt: integer(0, Number.MAX_SAFE_INTEGER),
  signature: bytes(IDENTITY_SIGNATURE_BYTES),
})

const request = variant<CeremonyRequest>({
  generateKey: record({
    type: oneOf(['generateKey']),
    key: record({ keyId: id, threshold: integer(1, MAX_PARTIES), parties, authorisation }),
  }),
  open: record({ type: oneOf(['open']), share, count: integer(1, MAX_OPENINGS) }),
  abandon: record({ type: oneOf(['abandon']), openings: list(openingId, MAX_OPENINGS) }),
  sign: record({
    type: oneOf(['sign']),
    task: record({
      share,
      path: text(MAX_PATH, /^m(\/\d{1,10})*$/),
      openings: list(opening, MAX_PARTIES),
      authorisation,
      approvals: list(authorisation, MAX_APPROVALS),
    }),
  }),
  proceed: record({ type: oneOf(['proceed']), heard }),
  destroyShares: record({ type: oneOf(['destroyShares']), keyId: id }),
})

const reply = variant<CeremonyReply>({
  said: record({ type: oneOf(['said']), statement, secrets: list(record({ to: id, sealed: piece }), MAX_PARTIES) }),
  generated: record({
    type: oneOf(['generated']),
    publicKey: bytes(1, MAX_PUBLIC_KEY_BYTES),
    publicPackage: bytes(1, MAX_PIECE_BYTES),
  }),
  opened: record({ type: oneOf(['opened']), openings: list(opening, MAX_OPENINGS) }),
  abandoned: record({ type: oneOf(['abandoned']) }),
  contributed: record({ type: oneOf(['contributed']), contribution: piece, transcript: bytes(TRANSCRIPT_BYTES) }),
  destroyed: record({ type: oneOf(['destroyed']) }),
  refused: record({ type: oneOf(['refused']), code: oneOf(REFUSAL_CODES), reason: text(MAX_REASON), culprits: parties }),
})

/** A message is version, header, and its content as bytes of their own, which can be hashed or signed as they came. */
export function encodeRequest(header: Header, content: CeremonyRequest): Uint8Array {
  return encode([VERSION, header, encode(content)])
}

/** @throws Malformed */
export function decodeRequest(payload: Uint8Array): { header: Header; request: CeremonyRequest; content: Uint8Array } {
  const message = decodeMessage(payload)
  return { header: header(message.header), request: decodeContent(message.content, request), content: message.content }
}

/** A reply has no header when the request's could not be read. */
export function encodeReply(header: Header | null, content: CeremonyReply): Uint8Array {
  const { type } = content
  const fitting = type === 'refused' ? { ...content, reason: content.reason.slice(0, MAX_REASON) } : content
  return encode([VERSION, header, encode(fitting)])
}

/** @throws Malformed */
export function decodeReply(payload: Uint8Array): { header: Header | null; reply: CeremonyReply } {
  const message = decodeMessage(payload)
  return { header: nullable(header)(message.header), reply: decodeContent(message.content, reply) }
}

function decodeMessage(payload: Uint8Array): { header: unknown; content: Uint8Array } {
  const message = decodeStrictly(payload)
  if (!Array.isArray(message) || message.length !== 3) throw new Malformed('version, header and content expected')
  const [version, header, content] = message
  if (version !== VERSION) throw new Malformed(`version ${VERSION} expected`)
  return { header, content: bytes(1, LIMITS.maxBinLength)(content) }
}

function decodeContent<T>(content: Uint8Array, read: Read<T>): T {
  return read(decodeStrictly(content))
}

function decodeStrictly(payload: Uint8Array): unknown {
  try {
    return decode(new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength), LIMITS)
  } catch {
    throw new Malformed('not MessagePack, or too much of it')
  }
}
