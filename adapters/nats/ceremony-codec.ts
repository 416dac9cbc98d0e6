import { decode, encode } from '@msgpack/msgpack'
import {
  type CeremonyReply,
  type CeremonyRequest,
  type Heard,
  ID_PATTERN,
  MAX_MESSAGE_BYTES,
  MAX_PIECE_BYTES,
  REFUSAL_CODES,
  type Secret,
  type Statement,
} from '../../domain/ceremony/messages.ts'
import type { Authorisation } from '../../domain/key-share/events.ts'
import { MAX_PARTIES } from '../../domain/threshold/scheme.ts'
import { MAX_ATTEMPT, MAX_CONTENT_BYTES } from './envelope.ts'
import { bytes, integer, list, Malformed, nullable, oneOf, record, text, variant } from './shape.ts'

const MAX_PUBLIC_KEY_BYTES = 64
const MAX_TEXT = 512 * 1024
const MAX_REASON = 500
const DIGEST_BYTES = 32
const SEALING_KEY_BYTES = 32
const SIGNATURE_BYTES = 64

/** What no message needs more of, checked while it is being decoded. */
const LIMITS = { maxStrLength: MAX_TEXT, maxBinLength: MAX_CONTENT_BYTES, maxArrayLength: 16, maxMapLength: 16, maxExtLength: 0 }

const id = text(64, ID_PATTERN)
const piece = bytes(0, MAX_PIECE_BYTES)
const parties = list(id, MAX_PARTIES)

const statement = record<Statement>({
  broadcast: piece,
  sealingKey: nullable(bytes(SEALING_KEY_BYTES)),
  transcript: bytes(DIGEST_BYTES),
  signature: bytes(SIGNATURE_BYTES),
})

const secret = { sealed: piece, signature: bytes(SIGNATURE_BYTES) }

const heard = record<Heard>({
  statements: list(record({ from: id, statement }), MAX_PARTIES),
  secrets: list(record<{ from: string } & Secret>({ from: id, ...secret }), MAX_PARTIES),
})

const authorisation = record<Authorisation>({
  method: text(16),
  path: text(2_048),
  body: text(MAX_TEXT),
  intent: nullable(text(16_384)),
})

const request = variant<CeremonyRequest>({
  generateKey: record({
    type: oneOf(['generateKey']),
    key: record({ keyId: id, threshold: integer(1, MAX_PARTIES), parties, authorisation }),
  }),
  openSigning: record({
    type: oneOf(['openSigning']),
    share: record({ keyId: id, attempt: integer(1, MAX_ATTEMPT), publicKey: bytes(1, MAX_PUBLIC_KEY_BYTES) }),
  }),
  sign: record({
    type: oneOf(['sign']),
    task: record({ message: bytes(0, MAX_MESSAGE_BYTES), signers: parties, authorisation }),
    heard,
  }),
  proceed: record({ type: oneOf(['proceed']), heard }),
  destroyShares: record({ type: oneOf(['destroyShares']), keyId: id }),
})

const reply = variant<CeremonyReply>({
  said: record({ type: oneOf(['said']), statement, secrets: list(record<{ to: string } & Secret>({ to: id, ...secret }), MAX_PARTIES) }),
  generated: record({
    type: oneOf(['generated']),
    publicKey: bytes(1, MAX_PUBLIC_KEY_BYTES),
    publicPackage: bytes(1, MAX_PIECE_BYTES),
  }),
  contributed: record({ type: oneOf(['contributed']), contribution: piece }),
  destroyed: record({ type: oneOf(['destroyed']) }),
  refused: record({ type: oneOf(['refused']), code: oneOf(REFUSAL_CODES), reason: text(MAX_REASON), culprits: parties }),
})

/** Equal requests are equal bytes. */
export function encodeRequest(content: CeremonyRequest): Uint8Array {
  return encode(content)
}

/** @throws Malformed */
export function decodeRequest(content: Uint8Array): CeremonyRequest {
  return request(decodeStrictly(content))
}

export function encodeReply(content: CeremonyReply): Uint8Array {
  return encode(content.type === 'refused' ? { ...content, reason: content.reason.slice(0, MAX_REASON) } : content)
}

/** @throws Malformed */
export function decodeReply(content: Uint8Array): CeremonyReply {
  return reply(decodeStrictly(content))
}

function decodeStrictly(content: Uint8Array): unknown {
  try {
    return decode(new Uint8Array(content.buffer, content.byteOffset, content.byteLength), LIMITS)
  } catch {
    throw new Malformed('not MessagePack, or too much of it')
  }
}
